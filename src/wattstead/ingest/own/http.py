"""POST /api/v1/readings: JSON or Arrow in, JSON out, errors as problem+json; a write key as Bearer."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial
from urllib.parse import parse_qs

import msgspec

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.decoding.unpack import inflated
from wattstead.ingest.errors import FormatUnknown, IngestError
from wattstead.ingest.http.asgi import Answer, Request, answer
from wattstead.ingest.http.routes import Route, Unexpected
from wattstead.ingest.own.json_body import JsonDecoder, checked_unit
from wattstead.ingest.reception import Kept, Reception
from wattstead.metering.errors import Issue

try:
    from wattstead.ingest.own import arrow_body
except ImportError as missing:  # on site there is no Arrow
    if missing.name is None or not missing.name.startswith("pyarrow"):
        raise
    arrow_body = None  # type: ignore[assignment]

_ARROW = ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file")
_PROBLEM = b"application/problem+json"
_TITLES = {
    400: "The request cannot be understood",
    401: "A write key is needed",
    403: "Not allowed",
    405: "This method is not supported here",
    413: "The request is too large",
    415: "This format is not read here",
    422: "None of the readings could be kept",
    429: "Too many readings",
    500: "Something went wrong here",
    503: "Not available right now",
}


class _Accepted(msgspec.Struct):
    accepted: int
    rejected: list[Issue]


class _Problem(msgspec.Struct):
    title: str
    status: int
    detail: str
    request: str
    type: str = "about:blank"
    accepted: int | msgspec.UnsetType = msgspec.UNSET
    rejected: list[Issue] | msgspec.UnsetType = msgspec.UNSET
    rejected_count: int | msgspec.UnsetType = msgspec.UNSET


def routes(reception: Reception) -> Sequence[Route]:
    """The one route."""
    own = _Own(reception)
    return [Route("/api/v1/readings", ("POST",), own.post, refuse, sole=False)]


class _Own:
    def __init__(self, reception: Reception) -> None:
        self.reception = reception
        share = reception.limits.remembered_bytes // 8
        self.decoder, self.lane_decoder = JsonDecoder(share), JsonDecoder(share)

    async def post(self, request: Request) -> Answer:
        """Readings of one body."""
        reception, limits = self.reception, self.reception.limits
        kind, secret, token = request.header(b"authorization").partition(" ")
        del secret
        key = token.strip() if kind.lower() == "bearer" else ""
        grant = reception.grant(key, "as Authorization: Bearer KEY", request.clear, request)
        body = await request.body(limits.body_bytes)
        encoding = request.header(b"content-encoding").strip().lower()
        if encoding:
            body = inflated(body, encoding, limits.unpacked_bytes)
            request.hold(len(body))
        unit = parse_qs(request.query.decode("latin-1")).get("time_unit", [""])[-1] if request.query else ""
        form = request.header(b"content-type").partition(";")[0].strip().lower()
        decode = partial(self._decode, form, body, reception.clock_us(), unit)
        if len(body) > limits.thread_bytes:
            columns = await reception.in_lane(partial(decode, self.lane_decoder))
        else:
            columns = decode(self.decoder)
        return _answer(await reception.keep(grant, columns, times_needed=True))

    def _decode(self, form: str, body: bytes, now_us: int, unit: str, decoder: JsonDecoder) -> Columns:
        if form in _ARROW and arrow_body is not None:
            return arrow_body.decode(body, now_us, checked_unit(unit or "s"), self.reception.limits.unpacked_bytes)
        if form not in ("application/json", "text/json", "text/plain", "application/x-www-form-urlencoded", ""):
            raise FormatUnknown("Content-Type", form, f"application/json or {_ARROW[0]}")
        return decoder.decode(body, now_us, unit)


def refuse(error: IngestError) -> Answer:
    """An error as problem+json."""
    number = error.request if isinstance(error, Unexpected) else secrets.token_hex(6)
    problem = _Problem(_TITLES.get(error.status, "The request failed"), error.status, str(error), number)
    more = [(b"x-request-id", number.encode())]
    if error.retry_after_s:
        more.append((b"retry-after", b"%d" % max(1, round(error.retry_after_s))))
    if error.status == 401:
        more.append((b"www-authenticate", b'Bearer realm="wattstead"'))
    return answer(error.status, msgspec.json.encode(problem), _PROBLEM, more)


def _answer(kept: Kept) -> Answer:
    rejected = kept.rejected
    if kept.accepted or not rejected:
        return answer(200, msgspec.json.encode(_Accepted(kept.accepted, rejected.listed)))
    first = rejected.listed[0]
    number = secrets.token_hex(6)
    problem = _Problem(
        _TITLES[422],
        422,
        f"{rejected.count} rejected; {first.place}: {first.reason}",
        number,
        accepted=0,
        rejected=rejected.listed,
        rejected_count=rejected.count,
    )
    return answer(422, msgspec.json.encode(problem), _PROBLEM, [(b"x-request-id", number.encode())])
