"""Link: what an edge says to its server, signed; one connection, kept open. Trying again is its callers' affair."""

from __future__ import annotations

import ssl
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from wattstead import __version__
from wattstead.edge.identity import Identity, fresh_key
from wattstead.ingest.edge import trust
from wattstead.ingest.edge.wire import BATCHES, JOIN, SYNC, Joined, Joining, Sync, Synced, Uploaded
from wattstead.ingest.http.clear import local
from wattstead.metering.errors import WattsteadError

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_T = TypeVar("_T", bound=msgspec.Struct)


class LinkLost(WattsteadError):
    """The server cannot be reached, or answers what no server of ours answers; try again later."""

    retryable = True

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(reason)


class ServerRefuses(WattsteadError):
    """The server answers, and does not take what was sent; the same again helps only once somebody has acted."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(f"the server refuses ({status}): {reason}")


class OutOfStep(WattsteadError):
    """The server's last upload is another one than this edge thinks."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        super().__init__(f"the server has uploads up to {sequence}")


class AddressInvalid(WattsteadError):
    """An address of a server that keys and readings are not sent to."""


def checked_url(url: str) -> str:
    """The address without a slash at its end; raises `AddressInvalid` for one that is not https beyond this machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressInvalid(f"{url!r} is no address of a server; expected one such as https://server:8086")
    if parts.scheme == "http" and not local(parts.hostname):
        raise AddressInvalid(f"{url!r} would carry readings in the clear; use https")
    return url.rstrip("/")


class Link:
    """Requests of one edge; for one event loop."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._client = _client(identity.url, identity.authority)

    async def close(self) -> None:
        """End the connection."""
        await self._client.aclose()

    async def sync(self, told: Sync) -> Synced:
        """Say how one is doing, hear what to do; raises `LinkLost`, `ServerRefuses`."""
        return _decoded(await self._signed(SYNC, msgspec.json.encode(told)), Synced)

    async def upload(self, body: bytes) -> Uploaded:
        """Hand over an upload; raises `LinkLost`, `ServerRefuses`, `OutOfStep`."""
        answer = await self._signed(BATCHES, body)
        found = _decoded(answer, Uploaded)
        if answer.status_code == 409:
            raise OutOfStep(found.sequence)
        return found

    async def _signed(self, path: str, body: bytes) -> httpx.Response:
        identity = self._identity
        header = trust.authorization(identity.edge_id, identity.signing_key, path, body)
        return await _asked(self._client, path, body, {"authorization": header})


async def join(url: str, code: str, authority: str) -> Identity:
    """Become the edge of that code; raises `AddressInvalid`, `LinkLost`, `ServerRefuses`."""
    url = checked_url(url)
    signing, sealing = fresh_key(), fresh_key()
    asked = Joining(code, trust.public_of(signing), trust.sealing_public_of(sealing))
    async with _client(url, authority) as client:
        found = _decoded(await _asked(client, JOIN, msgspec.json.encode(asked), {}), Joined)
    return Identity(
        url=url,
        edge_id=found.edge_id,
        name=found.name,
        site=found.site,
        server_key=trust.checked_public(found.server_key),
        signing_key=signing,
        sealing_key=sealing,
        authority=authority,
    )


def _client(url: str, authority: str) -> httpx.AsyncClient:
    verify: ssl.SSLContext | bool = True
    if authority:
        verify = ssl.create_default_context(cadata=authority)
    agent = {"user-agent": f"wattstead-edge/{__version__}"}
    return httpx.AsyncClient(base_url=url, verify=verify, timeout=_TIMEOUT, headers=agent, trust_env=False)


async def _asked(client: httpx.AsyncClient, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    try:
        answer = await client.post(path, content=body, headers={"content-type": "application/octet-stream", **headers})
    except (httpx.HTTPError, OSError) as error:
        raise LinkLost(f"{client.base_url} cannot be reached: {str(error) or type(error).__name__}") from error
    if answer.status_code in (200, 409):
        return answer
    waits = answer.headers.get("retry-after", "")
    if answer.status_code in (408, 425, 429) or answer.status_code >= 500:
        raise LinkLost(f"the server answers {answer.status_code}", float(waits) if waits.isdecimal() else 0.0)
    raise ServerRefuses(answer.status_code, _detail(answer))


def _decoded(answer: httpx.Response, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as error:
        raise LinkLost(f"what answers at {answer.url} is no server of ours: {error}") from None


def _detail(answer: httpx.Response) -> str:
    try:
        found = msgspec.json.decode(answer.content)
    except msgspec.MsgspecError:
        found = None
    return str(found.get("detail", "")) if isinstance(found, dict) else answer.text[:200]
