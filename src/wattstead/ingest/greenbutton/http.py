"""POST /green-button: a feed in, what became of its readings out; a write key as Bearer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import parse_qsl

from wattstead.ingest.errors import FormatUnknown, ParameterInvalid
from wattstead.ingest.greenbutton.espi import PREFIX, decode
from wattstead.ingest.http.asgi import Answer, Request
from wattstead.ingest.http.routes import Route
from wattstead.ingest.http.told import answered, refuse
from wattstead.ingest.reception import Reception

_FORMS = ("application/atom+xml", "application/xml", "text/xml", "")
_LONGEST_PREFIX = 100


def routes(reception: Reception) -> Sequence[Route]:
    """The one route."""
    return [Route("/green-button", ("POST",), partial(_post, reception), refuse)]


async def _post(reception: Reception, request: Request) -> Answer:
    grant = reception.grant(request.bearer, "as Authorization: Bearer KEY", request.clear, request)
    form = request.header(b"content-type").partition(";")[0].strip().lower()
    if form not in _FORMS:
        raise FormatUnknown("Content-Type", form, _FORMS[0])
    prefix = dict(parse_qsl(request.query.decode("ascii", "replace"), keep_blank_values=True)).get("prefix", PREFIX)
    if len(prefix) > _LONGEST_PREFIX:
        raise ParameterInvalid("prefix", prefix, f"at most {_LONGEST_PREFIX} characters")
    body = await request.unpacked(reception.limits)
    return answered(await reception.keep(grant, await reception.read(body, partial(decode, prefix=prefix))))
