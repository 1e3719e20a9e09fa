"""What every request passes first: path prefix, request number, security headers; knows no route.

Plain ASGI around the framework, so that errors of the framework itself are covered too.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, MutableMapping
from email.utils import formatdate
from typing import Any

import msgspec
import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from wattstead.ingest.http.clear import last_told
from wattstead.web.problem import PROBLEM, Problem, trace
from wattstead.web.settings import WebSettings

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_STRICT = (b"strict-transport-security", b"max-age=15552000")
_log = structlog.get_logger("wattstead.web")


def policy(frame_ancestors: str) -> str:
    """The Content-Security-Policy: everything from here, no inline script, no inline style.

    >>> "unsafe" in policy("'none'")
    False
    """
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'self'; "
        f"frame-ancestors {frame_ancestors}"
    )


def prefix_of(scope: MutableMapping[str, Any], settings: WebSettings) -> str:
    """The path prefix under which the browser sees this request; empty for none."""
    told = last_told(scope["headers"], b"x-forwarded-prefix").rstrip("/") if settings.trust_forwarded else ""
    if told and _PREFIX.fullmatch(told):
        return told
    return settings.base_path or str(scope.get("root_path") or "").rstrip("/")


def without_prefix(scope: MutableMapping[str, Any], prefix: str) -> MutableMapping[str, Any]:
    """The scope as if there were no prefix, whether or not the proxy has cut it off."""
    path = scope["path"]
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        path = path[len(prefix) :] or "/"
    return {**scope, "path": path, "raw_path": path.encode(), "root_path": "", "wattstead_prefix": prefix}


def forwarded(scope: MutableMapping[str, Any]) -> dict[str, Any]:
    """Scheme and client as a proxy tells them."""
    scheme, client = (last_told(scope["headers"], name) for name in (b"x-forwarded-proto", b"x-forwarded-for"))
    told: dict[str, Any] = {"scheme": scheme} if scheme in ("http", "https") else {}
    return told | ({"client": (client[:60], 0)} if client else {})


class FrontDoor:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, settings: WebSettings, strict: Callable[[], bool] = lambda: False) -> None:
        """``strict``: whether browsers that came over TLS are told to come so alone from now on."""
        self.app, self.settings, self.strict = app, settings, strict
        self._headers = [
            (b"content-security-policy", policy(settings.frame_ancestors).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
        ]
        if settings.frame_ancestors == "'none'":
            self._headers.append((b"x-frame-options", b"DENY"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if str(scope["type"]) != "http":
            await self.app(scope, receive, send)
            return
        inner: Any = without_prefix(scope, prefix_of(scope, self.settings))  # type: ignore[arg-type]
        if self.settings.trust_forwarded:
            inner |= forwarded(inner)
        inner["wattstead_request"] = secrets.token_hex(6)
        empty = inner["method"] == "HEAD"
        if empty and inner["path"] != "/api/v1/live":
            inner["method"] = "GET"
        headers = [*self._headers, _STRICT] if scope["scheme"] == "https" and self.strict() else self._headers
        sending = _Sending(send, headers, inner, empty=empty)
        try:
            await self.app(inner, receive, sending)
        except Exception as error:
            _log.error("request broke", request=inner["wattstead_request"], path=inner["path"], trace=trace(error))
            if sending.started:
                raise
            await _broken(sending, inner["wattstead_request"])


class _Sending:
    """Adds the headers to the answer, and leaves out the body for HEAD."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]], scope: dict[str, Any], empty: bool) -> None:
        self.send, self.headers, self.scope, self.empty = send, headers, scope, empty
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            given = list(message.get("headers", []))
            names = {name.lower() for name, _ in given}
            given += [header for header in self.headers if header[0] not in names]
            given.append((b"x-request-id", self.scope["wattstead_request"].encode()))
            if b"date" not in names:
                given.append((b"date", formatdate(usegmt=True).encode()))
            if b"cache-control" not in names:
                given.append((b"cache-control", b"no-store"))
            message["headers"] = given
        elif self.empty and message["type"] == "http.response.body":
            message["body"] = b""
        await self.send(message)


async def _broken(send: Send | _Sending, number: str) -> None:
    problem = Problem(
        "about:blank",
        "Something went wrong here",
        500,
        f"the server's log has the cause under request {number}",
        number,
    )
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", PROBLEM.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
