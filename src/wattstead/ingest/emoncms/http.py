"""input/post and input/bulk over HTTP, answered byte for byte as EmonCMS's senders expect."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from wattstead.ingest.decoding.columns import Rejections
from wattstead.ingest.decoding.parameters import parameters
from wattstead.ingest.emoncms import bulk, post
from wattstead.ingest.emoncms.sealed import SEALED_KINDS, SealRefused, opened
from wattstead.ingest.emoncms.usual import UsualPosts
from wattstead.ingest.emoncms.values import NameMemory
from wattstead.ingest.errors import FormatUnknown, IngestError, KeyMayNotWrite, KeyMissing, KeyUnknown
from wattstead.ingest.http.asgi import Answer, Request, answer
from wattstead.ingest.http.routes import Plain, Ready, Route
from wattstead.ingest.reception import Kept, Reception
from wattstead.registry.records import KeyGrant

_TEXT = b"text/plain;charset=UTF-8"
_CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"Authorization, Content-Type"),
)
_METHODS = ("GET", "POST", "OPTIONS")
_WHERE = "as apikey, or as Authorization: Bearer KEY"
_FORMS = ("application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "application/json", "")


def _text(status: int, body: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> Answer:
    return answer(status, body, _TEXT, (_CORS[0], *more))


_OK, _SUCCESS = _text(200, b"ok"), _text(200, b'{"success": true}')
_PREFLIGHT = answer(200, b"", _TEXT, _CORS)


def routes(reception: Reception) -> Sequence[Route]:
    """Both calls, at the root and below /emoncms, with and without the format."""
    emoncms = _Emoncms(reception)
    found: list[Route] = []
    for prefix in ("", "/emoncms"):
        found += (
            Route(f"{prefix}/input/post", _METHODS, emoncms.post, refuse, below=True, at_once=emoncms.post_at_once),
            Route(f"{prefix}/input/post.json", _METHODS, emoncms.post, refuse, at_once=emoncms.post_at_once),
            Route(f"{prefix}/input/bulk", _METHODS, emoncms.bulk, refuse),
            Route(f"{prefix}/input/bulk.json", _METHODS, emoncms.bulk, refuse),
        )
    return found


class _Emoncms:
    def __init__(self, reception: Reception) -> None:
        self.reception = reception
        self.memory = NameMemory()
        self.usual = UsualPosts(self.memory)

    async def post(self, request: Request) -> Answer:
        """One packet of one node."""
        if request.method == "OPTIONS":
            return _PREFLIGHT
        given, body = await self._given(request)
        grant, hashed = self._grant(request, given, body)
        node = _path_node(request.path)
        few = post.decode(given, node, self.reception.clock_us(), self.memory)
        kept = await self.reception.keep_few(grant, few)
        if not kept.rejected and not hashed:
            return _SUCCESS if "fulljson" in given else _OK
        return _told(kept, "fulljson" in given, hashed)

    def post_at_once(self, plain: Plain) -> Ready | None:
        """`post` where all is as usual: known names, good numbers, an unencrypted form."""
        form = plain.query + b"&" + plain.body if plain.query and plain.body else plain.query or plain.body
        try:
            return self._usual(plain, form) or self._unusual(plain, form)
        except IngestError:
            return None

    def _usual(self, plain: Plain, form: bytes) -> Ready | None:
        """`_unusual` for a sender of whom all but the values is known, at half the cost."""
        known = self.usual.sender(form)
        if known is None:
            return None
        sender, text = known
        found = self.usual.values(sender, text)
        names = self.usual.names(sender, tuple(found)) if found else None
        if found is None or names is None:
            return None
        secret = sender.secret or _bearer(plain.authorization)
        grant = self.reception.grant(secret, _WHERE, plain.clear)
        now_us = self.reception.clock_us()
        encoded = self.reception.few_encoded(grant, names, now_us, list(found.values()), True)
        return None if encoded is None else Ready(encoded, _SUCCESS if sender.is_full else _OK, grant.id)

    def _unusual(self, plain: Plain, form: bytes) -> Ready | None:
        given = parameters(form, {})
        secret = (given.get("apikey") or given.get("devicekey") or "").lower() or _bearer(plain.authorization)
        grant = self.reception.grant(secret, _WHERE, plain.clear)
        few = post.decode(given, "", self.reception.clock_us(), self.memory)
        if few.rejected:
            return None
        encoded = self.reception.few_encoded(grant, few.names, few.time_us, few.values, few.untimed)
        if encoded is None:
            return None
        self.usual.learn(form)
        return Ready(encoded, _SUCCESS if "fulljson" in given else _OK, grant.id)

    async def bulk(self, request: Request) -> Answer:
        """Many packets."""
        if request.method == "OPTIONS":
            return _PREFLIGHT
        given, body = await self._given(request)
        grant, hashed = self._grant(request, given, body)
        reception, limits = self.reception, self.reception.limits
        text = bulk.text_of(given, body, limits.form_bytes)
        request.hold(len(text))
        columns = await reception.read(text, partial(bulk.decode, given, now_us=reception.clock_us()))
        kept = await reception.keep(grant, columns)
        return _told(kept, "fulljson" in given, hashed, queued=True)

    async def _given(self, request: Request) -> tuple[dict[str, str], bytes]:
        """Parameters of query and form, and the body as it came."""
        given: dict[str, str] = {}
        if request.query:
            parameters(request.query, given)
        if request.method != "POST":
            return given, b""
        body = await request.body(self.reception.limits.form_bytes)
        kind = request.header(b"content-type").partition(";")[0].strip().lower()
        if kind not in _FORMS and kind not in SEALED_KINDS:
            raise FormatUnknown("Content-Type", kind, "application/x-www-form-urlencoded")
        if body and kind not in SEALED_KINDS and "cb" not in given:
            parameters(body, given)
        return given, body

    def _grant(self, request: Request, given: dict[str, str], body: bytes) -> tuple[KeyGrant, bytes]:
        """What the sender may write; and, of an encrypted request, the hash it wants as answer."""
        secret = given.get("apikey") or given.get("devicekey")
        kind = request.header(b"content-type").lower() if not secret else ""
        if kind in SEALED_KINDS:
            secret, text, hashed = opened(
                request.header(b"authorization"), body, kind, self.reception.resolver, self.reception.limits.form_bytes
            )
            parameters(text, given)
            return self.reception.grant(secret, _WHERE, request=request), hashed  # the key itself was not shown
        if not secret:
            secret = request.header(b"authorization").removeprefix("Bearer ").strip()
        return self.reception.grant(secret.lower(), _WHERE, request.clear, request), b""


def _bearer(authorization: bytes) -> str:
    return authorization.decode("latin-1").removeprefix("Bearer ").strip().lower()


def refuse(error: IngestError) -> Answer:
    """An error as EmonCMS's senders can read it."""
    if isinstance(error, KeyUnknown | KeyMissing):
        challenge = b'Bearer realm="API KEY", error="invalid_apikey", error_description="Invalid API key"'
        return _text(401, b"Invalid API key", [(b"www-authenticate", challenge)])
    if isinstance(error, SealRefused):
        return _text(error.status, str(error).encode())
    if isinstance(error, KeyMayNotWrite):
        return _text(403, b"Write API key required")
    more = [(b"retry-after", b"%d" % max(1, round(error.retry_after_s)))] if error.retry_after_s else []
    return _text(error.status, _failure(str(error)), more)


def _told(kept: Kept, as_json: bool, hashed: bytes, queued: bool = False) -> Answer:
    """The answer when readings were rejected, or when the sender wants a hash.

    A sender with a queue sends a buffer again until it hears ``ok``: one of which nothing can ever be kept must not
    hold up all that comes after it.
    """
    rejected = kept.rejected
    if not kept.accepted and rejected and not queued:
        return _text(400, _failure(_summary(rejected)))
    more = [(b"x-emoncms-message", _header(_summary(rejected)))] if rejected else []
    body = hashed or (b'{"success": true}' if as_json else b"ok")
    return _text(200, body, more)


def _summary(rejected: Rejections) -> str:
    shown = "; ".join(f"{issue.place}: {issue.reason}" for issue in rejected.listed[:5])
    return shown if rejected.count <= 5 else f"{shown}; and {rejected.count - 5} more"


def _failure(message: str) -> bytes:
    """EmonCMS's form of a failure: double quotes become single ones."""
    plain = "".join(one if one >= " " and one != "\\" else " " for one in message.replace('"', "'"))
    return f'{{"success": false, "message": "{plain}"}}'.encode("utf-8", "replace")


def _header(text: str) -> bytes:
    return bytes(octet if 32 <= octet < 127 else 63 for octet in text.encode("ascii", "replace")[:1000])


def _path_node(path: str) -> str:
    node = path.partition("/input/post/")[2]
    return node.removesuffix(".json").strip("/") if node else ""
