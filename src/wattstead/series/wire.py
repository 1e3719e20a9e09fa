"""Wire: a question to ClickHouse's HTTP and the bytes of its answer, at the least cost; reads neither of them.

Questions are many and small: what a driver does around each costs as much as the store needs for some of them. What
changes something goes by the driver.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlencode

import urllib3

_CODE = "X-ClickHouse-Exception-Code"


class Refusal(Exception):
    """The store answered with an error; ``code`` is ClickHouse's number, None where it gave none."""

    def __init__(self, text: str, code: int | None) -> None:
        self.code = code
        super().__init__(text)


class Wire:
    """Kept connections to one address with the settings of one kind of question, from any thread."""

    def __init__(
        self, parts: SplitResult, settings: Mapping[str, object], headers: Mapping[str, str], connections: int,
        connect_s: float, read_s: float,
    ) -> None:  # fmt: skip
        port = parts.port or (8443 if parts.scheme == "https" else 8123)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self._pool = urllib3.connection_from_url(
            f"{parts.scheme}://{host}:{port}",
            maxsize=connections,
            timeout=urllib3.Timeout(connect=connect_s, read=read_s),
        )
        who = f"{unquote(parts.username or 'default')}:{unquote(parts.password or '')}"
        self._headers = {"Authorization": f"Basic {b64encode(who.encode()).decode()}", **headers}
        self._path = f"/?{urlencode(settings)}"

    def ask(self, sql: str) -> bytes:
        """The answer in ClickHouse's Native format. Raises `Refusal`, and `urllib3.exceptions.HTTPError` where there is
        no answer."""
        body = f"{sql}\nFORMAT Native".encode()
        try:
            answer = self._posted(body)
        except urllib3.exceptions.ProtocolError:  # a kept connection that the store had closed
            answer = self._posted(body)
        if answer.status != 200:
            code = answer.headers.get(_CODE, "")
            text = answer.data.decode("utf-8", "replace").strip() or f"HTTP status {answer.status} without a word"
            raise Refusal(text, int(code) if code.isdecimal() else None)
        return answer.data

    def close(self) -> None:
        """Gives up the connections."""
        self._pool.close()

    def _posted(self, body: bytes) -> urllib3.BaseHTTPResponse:
        return self._pool.urlopen("POST", self._path, body, self._headers, retries=False, redirect=False)
