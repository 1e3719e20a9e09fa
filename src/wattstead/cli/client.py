"""The running server as the other verbs talk to it: where it is, with which key, in which chunks.

It knows addresses and answers, not what is sent or why.
"""

from __future__ import annotations

import gzip
import json
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from wattstead.certificates.authority import authority_file
from wattstead.metering.errors import Issue, WattsteadError

_TRIES = 8
_PAGE = 1_000


class ServerRefused(WattsteadError):
    """The server answered, and the answer is no."""


class ServerAway(WattsteadError):
    """The server does not answer."""

    retryable = True


class Client:
    """A connection to one server with at most one write and one read key."""

    def __init__(self, url: str, write_key: str = "", read_key: str = "", authority: Path | None = None) -> None:
        """``url`` with its path prefix, keys as shown when they were made; ``authority``: to be trusted too.

        Raises `ServerRefused` for an address or a key that can be none.
        """
        self.url = url.rstrip("/")
        _check(self.url, write_key, read_key)
        self.write_key = write_key
        self.read_key = read_key
        self._http = httpx.Client(base_url=self.url, timeout=60.0, verify=trusting(authority))

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def post_readings(
        self, point: Sequence[str], time_us: Sequence[int], value: Sequence[float], unit: str = ""
    ) -> tuple[int, list[Issue]]:
        """Post columns; returns how many were taken and what was refused. Waits and tries again while it is told to.

        ``unit`` is that of all values; empty: none is said, they are in the points' own.

        Raises `ServerRefused` or, after about two minutes, `ServerAway`.
        """
        columns = {"time_unit": "us", "point": list(point), "time": list(time_us), "value": list(value)}
        body = json.dumps({**columns, "unit": unit} if unit else columns)
        answer = self._try(
            "POST", "/api/v1/readings", self.write_key, content=body, headers={"Content-Type": "application/json"}
        )
        found = self._told(answer)
        return int(found["accepted"]), [Issue(i["place"], i["reason"]) for i in found["rejected"]]

    def post_green_button(self, feed: bytes, prefix: str = "") -> tuple[int, int, list[Issue]]:
        """Post a Green Button file; how many readings were taken, how many not, and why; raises as `post_readings`."""
        headers = {"Content-Type": "application/atom+xml", "Content-Encoding": "gzip"}
        query = {"prefix": prefix} if prefix else {}
        packed = gzip.compress(feed, 6)
        answer = self._try("POST", "/green-button", self.write_key, content=packed, headers=headers, params=query)
        found = self._told(answer)
        issues = [Issue(i["place"], i["reason"]) for i in found["rejected"]]
        return int(found["accepted"]), int(found.get("rejected_count", len(issues))), issues

    def get(self, path: str, **query: str | float) -> Any:
        """The JSON of an answer, asked for with the read key; raises as `post_readings` does."""
        return self._told(self._try("GET", path, self.read_key, params=query))

    def points(self) -> list[dict[str, Any]]:
        """Every point that the read key sees, by id, however many there are: asked for page by page."""
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["id"] if found else 0
            page = self.get("/api/v1/points", limit=_PAGE, after=after)
            found += page
            if len(page) < _PAGE:
                return found

    def _told(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise ServerRefused(
                f"{answer.request.url} answered without JSON, so that is no Wattstead: say with --url where it runs"
            ) from None

    def _try(self, method: str, path: str, key: str, **rest: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}", **rest.pop("headers", {})}  # type: ignore[dict-item]
        wait_s = 0.5
        reason = ""
        for _ in range(_TRIES):
            try:
                answer = self._http.request(method, path, headers=headers, **rest)  # type: ignore[arg-type]
            except httpx.TransportError as error:
                reason = str(error)
            else:
                if answer.status_code not in (429, 503):
                    return _checked(answer)
                reason = f"{answer.status_code} {answer.text[:200]}"
                wait_s = max(wait_s, float(answer.headers.get("Retry-After", 0)))
            time.sleep(wait_s)
            wait_s = min(wait_s * 2, 30.0)
        raise ServerAway(f"{self.url} did not take the request after {_TRIES} tries: {reason}")


def _check(url: str, *keys: str) -> None:
    try:
        found, host = httpx.URL(url), urlsplit(url).hostname
    except (httpx.InvalidURL, ValueError) as error:
        raise ServerRefused(f"{url[:200]!r} is no address of a server: {error}") from None
    if found.scheme not in ("http", "https") or not host:
        raise ServerRefused(f"{url[:200]!r} is no address of a server; give one such as http://127.0.0.1:8086")
    for key in keys:
        if not (key.isascii() and key.isprintable()):
            raise ServerRefused(f"{key[:8]!a}… is no key: keys have letters, digits, - and _; copy it once more")


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
        if "rejected" in problem:  # every reading was read, and none could be kept
            return answer
        detail = problem.get("detail", answer.text)
    except ValueError:
        detail = answer.text
    raise ServerRefused(
        f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {detail[:500]}"
    )


def connect(folder: Path, url: str, write_key: str, read_key: str) -> Client:
    """The server named, or else the one whose ``demo.json`` lies in ``folder``; raises `ServerRefused`."""
    note = folder / "demo.json"
    try:
        known = json.loads(note.read_text()) if note.exists() else {}
    except ValueError as error:
        raise ServerRefused(f"{note} cannot be read: {error}; give --url and --key, or another --data") from None
    keys = known.get("keys", {}) if not url or url.rstrip("/") == str(known.get("url", "")).rstrip("/") else {}
    where = url or known.get("url", "")
    if not where:
        raise ServerRefused(f"no server is named: give --url and --key, or start the demo with --data {folder}")
    own = authority_file(folder)
    return Client(where, write_key or keys.get("write", ""), read_key or keys.get("read", ""), own)


def trusting(authority: Path | None) -> ssl.SSLContext:
    """Of a client that trusts whom everybody trusts, and that authority."""
    context = httpx.create_ssl_context()
    if authority is not None:
        context.load_verify_locations(authority)
    return context
