"""POST /senml: a pack of readings in, what became of them out; a write key as Bearer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from wattstead.ingest.errors import FormatUnknown
from wattstead.ingest.http.asgi import Answer, Request
from wattstead.ingest.http.routes import Route
from wattstead.ingest.http.told import answered, refuse
from wattstead.ingest.reception import Reception
from wattstead.ingest.senml.pack import decode

_FORMS = ("application/senml+json", "application/sensml+json", "application/json", "")


def routes(reception: Reception) -> Sequence[Route]:
    """The one route."""
    return [Route("/senml", ("POST",), partial(_post, reception), refuse)]


async def _post(reception: Reception, request: Request) -> Answer:
    grant = reception.grant(request.bearer, "as Authorization: Bearer KEY", request.clear, request)
    form = request.header(b"content-type").partition(";")[0].strip().lower()
    if form not in _FORMS:
        raise FormatUnknown("Content-Type", form, _FORMS[0])
    body = await request.unpacked(reception.limits)
    columns = await reception.read(body, partial(decode, now_us=reception.clock_us()))
    return answered(await reception.keep(grant, columns, times_needed=True))
