"""Fetcher: asks an HTTP server politely: for what is new, within limits, and not before it wants to be asked again.

It follows no redirect to another host or out of TLS, and connects to the address that was looked at, so that a name
cannot lead it elsewhere meanwhile. What the answers mean is each protocol's affair.
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from wattstead import __version__
from wattstead.ingest.decoding.unpack import inflated
from wattstead.ingest.errors import IngestError
from wattstead.ingest.fetched.plan import Answer, Request
from wattstead.ingest.sources.forms import scrubbed
from wattstead.ingest.sources.outward import AddressRefused, resolved
from wattstead.ingest.sources.source_protocol import SourceFailed
from wattstead.ingest.sources.tls import client_context

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log addresses with the tokens in them
logging.getLogger("httpcore").setLevel(logging.WARNING)
_LARGEST, _LARGEST_UNPACKED = 32_000_000, 64_000_000
_CONNECT_S, _SILENT_S, _WHOLE_S = 10.0, 30.0, 120.0
_MOST_REDIRECTS = 3
_AGAIN_S, _LONGEST_AGAIN_S = 30.0, 86_400.0
_SELDOM_S = 600.0
"""After an answer that says that the question is wrong."""
_REDIRECTS = (301, 302, 303, 307, 308)
_REMEMBERED = 1_000
_ECHOED = 20_000
"""Bytes of a refusal that are looked through for secrets before the first few are told."""


class Fetcher:
    """Asks; for one source and one event loop."""

    def __init__(self, ca: str = "") -> None:
        """``ca``: PEM of the authority by which servers are known; empty: those of the system."""
        self._verify = client_context(ca, "", "")
        self._known: dict[str, dict[str, str]] = {}

    async def get(self, request: Request) -> Answer | None:
        """What is there; None where it is what was there last time. Raises `SourceFailed`."""
        try:
            async with asyncio.timeout(_WHOLE_S):
                return await self._get(request)
        except TimeoutError:
            raise _failed(request, f"no whole answer within {_WHOLE_S:g} s") from None
        except AddressRefused as error:
            raise SourceFailed(str(error), hopeless=True) from None
        except IngestError as error:
            if isinstance(error, SourceFailed):
                raise
            raise _failed(request, f"its answer cannot be unpacked: {error}", after_s=_SELDOM_S) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise _failed(request, _said(request, error)) from None

    def forget(self) -> None:
        """Ask for everything anew the next time."""
        self._known.clear()

    async def _get(self, request: Request) -> Answer | None:
        url = request.whole
        asked = url
        for _ in range(_MOST_REDIRECTS + 1):
            found = await self._once(request, url, self._known.get(asked, {}))
            if not isinstance(found, str):
                if found is not None and found.validators and found.answer.status == 200:
                    if len(self._known) >= _REMEMBERED:
                        self._known.clear()
                    self._known[asked] = found.validators
                return None if found is None else found.answer
            url = _allowed(request, url, found)
        raise _failed(request, f"more than {_MOST_REDIRECTS} redirects", after_s=_SELDOM_S)

    async def _once(self, request: Request, url: str, known: Mapping[str, str]) -> _Got | str | None:
        """What came, where to ask instead, or None for nothing new."""
        where = urlsplit(url)
        host, proxy = where.hostname or "", _proxy(where.scheme, where.hostname or "")
        addresses = [host] if proxy else await resolved(host)
        if not addresses:
            raise _failed(request, f"host {host} cannot be found")
        headers = {
            "User-Agent": f"Wattstead/{__version__}", "Accept-Encoding": "gzip", **request.headers, **known,
            "Host": where.netloc.rpartition("@")[2],
        }  # fmt: skip
        limits = httpx.Timeout(_SILENT_S, connect=_CONNECT_S)
        async with httpx.AsyncClient(verify=self._verify, timeout=limits, trust_env=False, proxy=proxy) as client:
            for at, address in enumerate(addresses):
                pinned = url if proxy else _pinned(url, address)
                try:
                    async with client.stream(
                        "GET", pinned, headers=headers, extensions={"sni_hostname": host}
                    ) as response:
                        return await _read(request, response)
                except httpx.ConnectError:
                    if at == len(addresses) - 1:
                        raise
        raise AssertionError("a loop over addresses ends by returning or raising")


class _Got(NamedTuple):
    answer: Answer
    validators: dict[str, str]
    """Headers by which to ask the next time whether something is new."""


async def _read(request: Request, response: httpx.Response) -> _Got | str | None:
    status = response.status_code
    if status == 304:
        return None
    if status in _REDIRECTS:
        return str(response.headers.get("location", ""))
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > _LARGEST:
            raise _failed(request, f"its answer has more than {_LARGEST:,} bytes", after_s=_SELDOM_S)
        parts.append(part)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    raw = inflated(b"".join(parts), encoding, _LARGEST_UNPACKED)
    if status == 200 or status in request.says_no:
        headers = (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
        told = {ask: response.headers[name] for ask, name in headers if name in response.headers}
        return _Got(Answer(raw, status, request), told)
    raise _refused(request, response, raw)


def _refused(request: Request, response: httpx.Response, raw: bytes) -> SourceFailed:
    status = response.status_code
    text = " ".join(_scrubbed(request, raw[:_ECHOED].decode(errors="replace")).split())[:300]
    said = f"{status} {response.reason_phrase}".strip() + (f": {text}" if text else "")
    if status in (401, 403):
        return _failed(request, said, hopeless=True)
    if status in (408, 425, 429) or status >= 500:
        after_s = retry_after_s(response.headers.get("retry-after", ""), response.headers.get("date", ""))
        return _failed(request, said, after_s=after_s if after_s is not None else _AGAIN_S)
    return _failed(request, said, after_s=_SELDOM_S)


def retry_after_s(told: str, date: str = "") -> float | None:
    """Seconds that a server asks to be left alone for, at most a day; None where it says nothing.

    >>> retry_after_s("120"), retry_after_s(""), retry_after_s("soon"), retry_after_s("9" * 30)
    (120.0, None, None, 86400.0)
    >>> retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:27:00 GMT")
    60.0
    """
    if told.strip().isdecimal():
        return min(float(told), _LONGEST_AGAIN_S)
    try:
        until, now = email.utils.parsedate_to_datetime(told), email.utils.parsedate_to_datetime(date)
        return min(max(0.0, (until - now).total_seconds()), _LONGEST_AGAIN_S)
    except (TypeError, ValueError):
        return None


def _allowed(request: Request, url: str, location: str) -> str:
    """Where a redirect leads, where it may be followed: the same host, and not out of TLS."""
    before, after = urlsplit(url), urlsplit(urljoin(url, location))
    same = after.hostname == before.hostname and (
        (after.scheme, after.port) == (before.scheme, before.port)
        or (before.scheme == "http" and after.scheme == "https")
    )
    if not location or not same:
        leads_to = f"{after.scheme}://{after.hostname or 'nowhere'}"
        raise _failed(
            request,
            f"it redirects to {leads_to}, which is not followed; give that address",
            after_s=_SELDOM_S,
        )
    return urlunsplit(after)


def _pinned(url: str, address: str) -> str:
    """The address with the host's place taken by where it is."""
    where = urlsplit(url)
    host = f"[{address}]" if ":" in address else address
    return urlunsplit(where._replace(netloc=host if where.port is None else f"{host}:{where.port}"))


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for this, as for any program; None: none."""
    if proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(scheme) or proxies.get("all")


def _failed(request: Request, said: str, hopeless: bool = False, after_s: float = _AGAIN_S) -> SourceFailed:
    where = urlsplit(request.url)
    host = f"{where.hostname}:{where.port}" if where.port else where.hostname or request.url[:100]
    return SourceFailed(f"{host}: {said}"[:600], hopeless, 0.0 if hopeless else after_s)


def _said(request: Request, error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {_SILENT_S:g} s"
    said = _scrubbed(request, str(error))[:200] or type(error).__name__
    return f"cannot be reached, or what it says is no HTTP: {said}"


def _scrubbed(request: Request, text: str) -> str:
    """A message without the secrets of the request: before it is cut, since nobody knows the half of one again."""
    tokens = [told.partition(" ")[2] for name, told in request.headers.items() if name.lower() == "authorization"]
    return scrubbed(text, {str(at): one for at, one in enumerate([*request.secret.values(), *tokens])})
