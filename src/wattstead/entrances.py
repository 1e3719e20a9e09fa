"""What each port lets in: readings to the door, all else to the pages; and what becomes of requests in the clear."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wattstead.certificates import trust
from wattstead.certificates.challenges import PATH as CHALLENGES
from wattstead.certificates.challenges import Challenges
from wattstead.certificates.trust import Trust
from wattstead.ingest.http.app import IngestApp
from wattstead.ingest.http.asgi import CLEAR
from wattstead.ingest.http.clear import Clear, came, peer_of
from wattstead.listening import Asgi

_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Beyond:
    """Where the pages are, over TLS, for somebody who reached us under some name."""

    port: int
    """Ours, or what a proxy has by convention."""
    base_path: str = ""
    public_url: str = ""
    names: Callable[[], frozenset[str]] = frozenset
    """The names and addresses that are ours at the moment; nobody is sent to another one, whatever a request claims."""

    def address(self, scope: Mapping[str, Any]) -> str:
        """The root of the pages, under the name that was asked for; empty where that is none of ours."""
        if self.public_url.startswith("https://"):
            return f"{self.public_url}/"
        found = _HOST.fullmatch(_header(scope, b"host"))
        if found is not None and not _is_one(found[1], self.names()):
            return ""
        port = "" if self.port == 443 else f":{self.port}"
        return f"https://{found[1]}{port}{self.base_path}/" if found else ""


def _is_one(host: str, names: frozenset[str]) -> bool:
    """Whether a host is one of some names, of which a first label may be a star.

    >>> [_is_one(host, frozenset({"*.lan", "::1"})) for host in ("a.lan", "A.LAN", "[::1]", "a.b.lan", "lan", "b.org")]
    [True, True, True, False, False, False]
    """
    plain = host.strip("[]").lower().rstrip(".")
    return plain in names or f"*.{plain.partition('.')[2]}" in names


def main_entrance(
    door: IngestApp, pages: Asgi, beyond: Beyond, trusting: Trust | None, base_path: str, trust_forwarded: bool
) -> Asgi:
    """Hot ingest routes to the door, everything else to the pages; nothing in the clear from another machine."""

    async def entrance(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            clear = came(scope, Clear.NEVER, trust_forwarded)
            path = scope["path"]
            if base_path and path.startswith(base_path + "/"):
                path = path[len(base_path) :]
            if door.serves(scope["method"], path):
                await door(_at_door(scope, path, clear, trust_forwarded), receive, send)
                return
            if clear is not Clear.NO:
                await _send_over(scope, send, beyond)
                return
            if await _papers(scope, send, path, trusting, beyond):
                return
        await pages(scope, receive, send)

    return entrance


def plain_entrance(door: IngestApp, base_path: str, trust_forwarded: bool) -> Asgi:
    """Readings alone, by keys that may be shown in the clear."""

    async def entrance(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].removeprefix(base_path) if base_path else scope["path"]
        if door.serves(scope["method"], path):
            clear = came(scope, Clear.BY_KEY, trust_forwarded)
            await door(_at_door(scope, path, clear, trust_forwarded), receive, send)
            return
        await _say(send, 403, "this port takes readings alone; pages and the rest of the API are behind TLS\n")

    return entrance


def _at_door(scope: Any, path: str, clear: Clear, trust_forwarded: bool) -> dict[str, Any]:
    """A request as the door sees it: its path without a prefix, how it came and where from."""
    peer = {"client": (peer_of(scope, trust_forwarded), 0)} if trust_forwarded else {}
    return {**scope, **peer, "path": path, CLEAR: clear}


def http_entrance(beyond: Beyond, trusting: Trust | None, challenges: Challenges | None) -> Asgi:
    """What must be reached before TLS is: the trust in a local authority, proofs for a public one; the way to https."""

    async def entrance(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if challenges is not None and path.startswith(CHALLENGES):
            found = challenges.get(path)
            await _say(send, 404 if found is None else 200, "" if found is None else found.decode())
            return
        if not await _papers(scope, send, path, trusting, beyond):
            await _send_over(scope, send, beyond)

    return entrance


async def _papers(scope: Any, send: Any, path: str, trusting: Trust | None, beyond: Beyond) -> bool:
    """Send what a device needs to trust the local authority; False when something else was asked for."""
    if trusting is None or scope["method"] not in ("GET", "HEAD") or not path.startswith(trust.PATH):
        return False
    paper = trusting.paper(path, _header(scope, b"accept-language"), beyond.address(scope))
    if paper is None:
        return False
    headers = {"content-type": paper.kind, **paper.headers}
    await _answer(send, 200, headers, b"" if scope["method"] == "HEAD" else paper.body, len(paper.body))
    return True


async def _send_over(scope: Any, send: Any, beyond: Beyond) -> None:
    """A page is asked for over TLS anew; what carries something is refused, so that its sender is mended."""
    address = beyond.address(scope)
    if scope["method"] in ("GET", "HEAD") and address:
        path = scope["raw_path"].decode("latin-1").lstrip("/")
        own = beyond.base_path.lstrip("/")
        path = path.removeprefix(f"{own}/") if own else path
        query = scope["query_string"].decode("latin-1")
        await _answer(send, 307, {"location": f"{address}{path}{'?' if query else ''}{query}"}, b"")
        return
    if not address:
        await _say(send, 421, "this server is not known under that name; use its own one, over https\n")
        return
    where = f" at {address}"
    await _say(send, 403, f"this is not taken without TLS from another machine: use https{where}\n")


async def _say(send: Any, status: int, text: str) -> None:
    await _answer(send, status, {"content-type": "text/plain; charset=utf-8"}, text.encode())


async def _answer(send: Any, status: int, headers: Mapping[str, str], body: bytes, length: int | None = None) -> None:
    given = {
        **headers,
        "content-length": str(len(body) if length is None else length),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    listed = [(name.encode(), value.encode("latin-1", "replace")) for name, value in given.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


def _header(scope: Mapping[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1").strip() for key, value in scope["headers"] if key == name), "")
