"""POST /api/v1/readings: JSON or Arrow in, JSON out, errors as problem+json; a write key as Bearer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import parse_qs

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.errors import FormatUnknown
from wattstead.ingest.http.asgi import Answer, Request
from wattstead.ingest.http.routes import Route
from wattstead.ingest.http.told import answered, refuse
from wattstead.ingest.own.json_body import JsonDecoder, checked_unit
from wattstead.ingest.reception import Reception

try:
    from wattstead.ingest.own import arrow_body
except ImportError as missing:  # on site there is no Arrow
    if missing.name is None or not missing.name.startswith("pyarrow"):
        raise
    arrow_body = None  # type: ignore[assignment]

_ARROW = ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file")


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
        grant = reception.grant(request.bearer, "as Authorization: Bearer KEY", request.clear, request)
        body = await request.unpacked(limits)
        unit = parse_qs(request.query.decode("latin-1")).get("time_unit", [""])[-1] if request.query else ""
        form = request.header(b"content-type").partition(";")[0].strip().lower()
        decode = partial(self._decode, form, body, reception.clock_us(), unit)
        if len(body) > limits.thread_bytes or form in _ARROW:  # which may be packed within
            columns = await reception.in_lane(partial(decode, self.lane_decoder))
        else:
            columns = decode(self.decoder)
        return answered(await reception.keep(grant, columns, times_needed=True))

    def _decode(self, form: str, body: bytes, now_us: int, unit: str, decoder: JsonDecoder) -> Columns:
        if form in _ARROW and arrow_body is not None:
            return arrow_body.decode(body, now_us, checked_unit(unit or "s"), self.reception.limits.unpacked_bytes)
        if form not in ("application/json", "text/json", "text/plain", "application/x-www-form-urlencoded", ""):
            raise FormatUnknown("Content-Type", form, f"application/json or {_ARROW[0]}")
        return decoder.decode(body, now_us, unit)
