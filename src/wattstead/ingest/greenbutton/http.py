"""POST /green-button: a feed in, what became of its readings out; a write key as Bearer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import parse_qsl

from wattstead.ingest.decoding.unpack import inflated
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
    limits = reception.limits
    kind, _, token = request.header(b"authorization").partition(" ")
    key = token.strip() if kind.lower() == "bearer" else ""
    grant = reception.grant(key, "as Authorization: Bearer KEY", request.clear, request)
    form = request.header(b"content-type").partition(";")[0].strip().lower()
    if form not in _FORMS:
        raise FormatUnknown("Content-Type", form, _FORMS[0])
    prefix = dict(parse_qsl(request.query.decode("ascii", "replace"), keep_blank_values=True)).get("prefix", PREFIX)
    if len(prefix) > _LONGEST_PREFIX:
        raise ParameterInvalid("prefix", prefix, f"at most {_LONGEST_PREFIX} characters")
    body = await request.body(limits.body_bytes)
    encoding = request.header(b"content-encoding").strip().lower()
    if encoding:
        body = inflated(body, encoding, limits.unpacked_bytes)
        request.hold(len(body))
    read = partial(decode, body, prefix)
    columns = await reception.in_lane(read) if len(body) > limits.thread_bytes else read()
    return answered(await reception.keep(grant, columns))
