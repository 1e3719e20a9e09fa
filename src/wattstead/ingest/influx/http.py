"""InfluxDB's write interface, versions 1 and 2, and what clients ask before they write; it answers nothing else."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import msgspec

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.decoding.parameters import parameters
from wattstead.ingest.errors import BodyInvalid, IngestError, KeyMissing, KeyUnknown
from wattstead.ingest.http.asgi import Answer, Request, answer
from wattstead.ingest.http.clear import Clear
from wattstead.ingest.http.routes import Plain, Ready, Route
from wattstead.ingest.influx.decode import LineDecoder
from wattstead.ingest.reception import Kept, Reception
from wattstead.registry.records import KeyGrant

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

_VERSION = b"1.8.10"
_ABOUT = [(b"x-influxdb-version", _VERSION), (b"x-influxdb-build", b"Wattstead")]
_WRITTEN = Answer(204, _ABOUT)
_KINDS = (b"", b"text/plain", b"application/x-www-form-urlencoded", b"application/octet-stream")
"""Content types that senders give plain lines."""
_MOST_SENDERS, _LONGEST_SENDER = 10_000, 400
_MOST_LINES = 100
"""Lines that an error names, as InfluxDB does."""
_CODES = {
    400: "invalid", 401: "unauthorized", 403: "forbidden", 405: "method not allowed", 413: "request too large",
    415: "invalid", 429: "too many requests", 500: "internal error", 503: "unavailable",
}  # fmt: skip


def routes(reception: Reception) -> Sequence[Route]:
    """Writing, and what clients ask before they write."""
    influx = _Influx(reception)
    get = ("GET", "HEAD")
    return [
        Route("/write", ("POST",), influx.write_1, refuse_1, at_once=influx.write_at_once, kinds=_KINDS),
        Route("/api/v2/write", ("POST",), influx.write_2, refuse_2, at_once=influx.write_at_once, kinds=_KINDS),
        Route("/ping", get, ping, refuse_1),
        Route("/api/v2/ping", get, ping, refuse_2),
        Route("/health", get, influx.health, refuse_2),
        Route("/api/v2/buckets", ("GET", "POST"), influx.buckets, refuse_2),
        Route("/api/v2/orgs", ("GET",), influx.organizations, refuse_2),
    ]


class _Influx:
    def __init__(self, reception: Reception) -> None:
        self.reception = reception
        share = reception.limits.remembered_bytes // 4
        self.decoder, self.lane_decoder = LineDecoder(share), LineDecoder(share)
        self._senders: dict[tuple[bytes, bytes], tuple[str, str]] = {}

    async def write_1(self, request: Request) -> Answer:
        """/write of version 1: key as password, in the query or as Basic; precision n, u, ms, s, m, h."""
        kept = await self._written(request, parameters(request.query, {}))
        return _WRITTEN if not kept.rejected else _failed_1(partial_write(kept))

    async def write_2(self, request: Request) -> Answer:
        """/api/v2/write: key as Token; precision ns, us, ms, s."""
        kept = await self._written(request, parameters(request.query, {}))
        if not kept.rejected:
            return _WRITTEN
        body = {"code": "invalid", "message": partial_write(kept)}
        line = kept.rejected.listed[0].place.removeprefix("line ")
        return _json(400, body | ({"line": int(line)} if line.isdecimal() else {}))

    def write_at_once(self, plain: Plain) -> Ready | None:
        """Either write where all is as usual: known names, good numbers, times within the window."""
        reception = self.reception
        secret, precision = self._said(plain.query, plain.authorization)
        try:
            grant = reception.grant(secret, "", plain.clear)
            few = self.decoder.one_line(plain.body, precision)
            if few is not None:
                encoded = reception.few_encoded(grant, few.names, few.time_us, few.values, few.untimed)
            else:
                columns = self._decoded(plain.body, precision)
                encoded = None if columns is None else reception.columns_encoded(grant, columns)
        except IngestError:
            return None
        return None if encoded is None else Ready(encoded, _WRITTEN, grant.id)

    def _said(self, query: bytes, authorization: bytes) -> tuple[str, str]:
        """The key and the precision, which are the same from one request of a sender to the next."""
        said = self._senders.get((query, authorization))
        if said is None:
            given = parameters(query, {})
            said = secret_in(authorization.decode("latin-1"), given), given.get("precision") or "ns"
            if len(query) + len(authorization) <= _LONGEST_SENDER:
                if len(self._senders) >= _MOST_SENDERS:
                    self._senders.clear()
                self._senders[query, authorization] = said
        return said

    async def health(self, request: Request) -> Answer:
        """/health: whether writes can be taken."""
        broken = self.reception.journal.broken
        body: dict[str, object] = {
            "name": "influxdb",
            "message": "ready for queries and writes" if broken is None else str(broken),
            "status": "pass" if broken is None else "fail",
            "checks": [],
            "version": _VERSION.decode(),
            "commit": "wattstead",
        }
        return _json(200 if broken is None else 503, body)

    async def buckets(self, request: Request) -> Answer:
        """/api/v2/buckets: every bucket that is asked for exists; making one changes nothing."""
        given = parameters(request.query, {})
        grant = self._any_key(request, given)
        if request.method == "POST":
            body = await request.body(self.reception.limits.form_bytes)
            try:
                wanted = msgspec.json.decode(body, type=dict[str, object])
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                raise BodyInvalid("body", f"not a bucket in JSON: {error}") from None
            return _json(201, bucket(grant, str(wanted.get("name", "wattstead"))))
        found = bucket(grant, given.get("name", "wattstead"))
        return _json(200, {"links": {"self": "/api/v2/buckets"}, "buckets": [found]})

    async def organizations(self, request: Request) -> Answer:
        """/api/v2/orgs: the one organization of the key, under the name that is asked for."""
        given = parameters(request.query, {})
        grant = self._any_key(request, given)
        found = {"id": _identity("org", grant.organization_id), "name": given.get("org", "wattstead"), "links": {}}
        return _json(200, {"links": {"self": "/api/v2/orgs"}, "orgs": [found]})

    async def _written(self, request: Request, given: dict[str, str]) -> Kept:
        reception, limits = self.reception, self.reception.limits
        where = "as p=KEY, or Authorization: Token KEY"
        grant = reception.grant(secret_of(request, given), where, request.clear, request)
        body = await request.unpacked(limits)
        precision = given.get("precision") or "ns"
        few = self.decoder.one_line(body, precision)
        if few is not None:
            return await reception.keep_few(grant, few)
        columns = self._decoded(body, precision)
        if columns is None:
            decode = partial(self.lane_decoder.decode, body, precision, reception.clock_us())
            columns = await reception.in_lane(decode)
            if len(body) <= limits.known_bytes:
                self.decoder.learn(self.lane_decoder, body)
        return await reception.keep(grant, columns)

    def _decoded(self, body: bytes, precision: str) -> Columns | None:
        """The readings of a body that holds nobody up: short, or with names that are remembered; None of any other."""
        limits, now_us = self.reception.limits, self.reception.clock_us()
        if len(body) <= limits.thread_bytes:
            return self.decoder.decode(body, precision, now_us)
        return self.decoder.known(body, precision, now_us) if len(body) <= limits.known_bytes else None

    def _any_key(self, request: Request, given: dict[str, str]) -> KeyGrant:
        secret = secret_of(request, given)
        if not secret:
            raise KeyMissing("as Authorization: Token KEY")
        grant = self.reception.resolver.key(secret)
        if grant is None:
            raise KeyUnknown
        if request.clear is not Clear.NO:
            return self.reception.grant(secret, "", request.clear)
        return grant


async def ping(request: Request) -> Answer:
    """/ping: that somebody is here, and which version is spoken."""
    if b"verbose" in request.query and b"verbose=false" not in request.query:
        return answer(200, b'{"version":"%b"}' % _VERSION, more=_ABOUT)
    return _WRITTEN


def secret_of(request: Request, given: dict[str, str]) -> str:
    """The key of a request: see `secret_in`."""
    return secret_in(request.header(b"authorization"), given)


def secret_in(authorization: str, given: dict[str, str]) -> str:
    """The key: as Token (``KEY`` or ``user:KEY``), Bearer, Basic (the password) or ``p`` in the query."""
    kind, _, credentials = authorization.partition(" ")
    credentials = credentials.strip()
    if kind.lower() == "basic":
        try:
            credentials = base64.b64decode(credentials, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            return ""
    elif kind.lower() not in ("token", "bearer"):
        return given.get("p") or given.get("u", "")
    user, colon, password = credentials.partition(":")
    return password or user if colon else credentials


def partial_write(kept: Kept) -> str:
    """InfluxDB's words for lines that were not written, with the line numbers it leaves out.

    >>> from wattstead.ingest.decoding.columns import Rejections
    >>> rejected = Rejections()
    >>> rejected.add("line 3", "unable to parse 'a b=': missing field value")
    >>> partial_write(Kept(2, rejected))
    "partial write: unable to parse 'a b=': missing field value (line 3) dropped=1"
    """
    rejected = kept.rejected
    shown = "\n".join(f"{issue.reason} ({issue.place})" for issue in rejected.listed[:_MOST_LINES])
    if rejected.count > _MOST_LINES:
        shown += f"\n… and {rejected.count - _MOST_LINES:,} more"
    return f"partial write: {shown} dropped={rejected.count}" if kept.accepted else shown


def bucket(grant: KeyGrant, name: str) -> dict[str, object]:
    """A bucket as version 2 describes one; it stands for the key's site."""
    identity = _identity("bucket", grant.site_id, name)
    return {
        "id": identity,
        "orgID": _identity("org", grant.organization_id),
        "type": "user",
        "name": name,
        "retentionRules": [],
        "createdAt": "1970-01-01T00:00:00Z",
        "updatedAt": "1970-01-01T00:00:00Z",
        "links": {"self": f"/api/v2/buckets/{identity}", "write": f"/api/v2/write?bucket={identity}"},
        "labels": [],
    }


def refuse_1(error: IngestError) -> Answer:
    """An error as version 1 words it."""
    if isinstance(error, KeyMissing):
        return _failed_1("unable to parse authentication credentials", error.status, _more(error))
    return _failed_1(
        "authorization failed" if isinstance(error, KeyUnknown) else str(error), error.status, _more(error)
    )


def refuse_2(error: IngestError) -> Answer:
    """An error as version 2 words it."""
    message = "unauthorized access" if isinstance(error, KeyMissing | KeyUnknown) else str(error)
    return _json(error.status, {"code": _CODES.get(error.status, "invalid"), "message": message}, _more(error))


def _failed_1(message: str, status: int = 400, more: Headers = ()) -> Answer:
    header = message.encode("ascii", "replace").translate(_ONE_LINE)[:1000]
    return _json(status, {"error": message}, [*more, (b"x-influxdb-error", header)])


def _json(status: int, body: object, more: Headers = ()) -> Answer:
    return answer(status, msgspec.json.encode(body) + b"\n", more=[*_ABOUT, *more])


def _more(error: IngestError) -> Headers:
    more: list[tuple[bytes, bytes]] = []
    if error.retry_after_s:
        more.append((b"retry-after", b"%d" % max(1, round(error.retry_after_s))))
    if error.status == 401:
        more.append((b"www-authenticate", b'Basic realm="InfluxDB"'))
    return more


def _identity(*parts: object) -> str:
    """Sixteen hexadecimal characters, as version 2 names things."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:16]


_ONE_LINE = bytes(octet if 32 <= octet < 127 else 32 for octet in range(256))
