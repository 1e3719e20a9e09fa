"""The head of a request as the short way reads it: a simple GET or POST; anything else is for a real parser."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

_LONGEST = 65_536
_HASH, _NEWLINE = b"#\n"
_UNUSUAL = frozenset(
    (b"transfer-encoding", b"expect", b"upgrade", b"content-encoding", b"te", b"trailer", b"proxy-connection")
)
_MOST_KNOWN, _LONGEST_KNOWN = 4_096, 1_024
T = TypeVar("T")


class Headers:
    """What the short way needs of a request's headers."""

    __slots__ = ("authorization", "close", "forwarded", "is_get", "kind", "length", "told")

    def __init__(self, is_get: bool) -> None:
        self.is_get = is_get
        self.authorization = self.kind = self.forwarded = b""
        self.length = 0
        self.close = self.told = False
        """``told``: whether the length was."""

    def take(self, name: bytes, value: bytes) -> bool:
        """Read one header; False when it needs a real parser."""
        if name == b"content-length":
            if self.is_get or self.told or not value.isdigit() or len(value) > 8:
                return False
            self.length, self.told = int(value), True
        elif name == b"authorization":
            self.authorization = value
        elif name == b"content-type":
            self.kind = value.partition(b";")[0].rstrip().lower()
        elif name == b"connection":
            value = value.lower()
            self.close = value == b"close"
            return self.close or value == b"keep-alive"
        elif name == b"x-forwarded-proto":
            self.forwarded = value
        return name not in _UNUSUAL and name.replace(b"-", b"").isalnum()


class Head(NamedTuple):
    """What the short way needs of a request's head."""

    path: bytes
    query: bytes
    body_at: int
    headers: Headers


class Heads:
    """Reads heads, and remembers those read lately: a sender's are the same from one request to the next.

    >>> head = Heads().of(b"GET /input/post?csv=1 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
    >>> head.path, head.query, head.headers.close
    (b'/input/post', b'csv=1', False)
    """

    def __init__(self) -> None:
        self._posts: dict[bytes, Head] = {}
        self._headers: dict[bytes, Headers] = {}

    def of(self, request: bytes) -> Head | None:
        """The head of a simple GET or POST; None for anything that needs a real parser."""
        end = request.find(b"\r\n\r\n", 0, _LONGEST)
        if end < 0:
            return None
        whole = request[:end]
        return self._posts.get(whole) or self._read(whole)

    def _read(self, whole: bytes) -> Head | None:
        first, _, rest = whole.partition(b"\r\n")
        start = first.split(b" ")
        if len(start) != 3 or start[2] != b"HTTP/1.1" or start[0] not in (b"GET", b"POST"):
            return None
        path, _, query = start[1].partition(b"?")
        if _HASH in query or _NEWLINE in query:
            return None
        is_get = start[0] == b"GET"
        headers = self._headers.get(rest)
        if headers is None or headers.is_get is not is_get:
            headers = _headers_of(rest, is_get)
            if headers is None:
                return None
            _remember(self._headers, rest, headers)
        head = Head(path, query, len(whole) + 4, headers)
        if not is_get:  # whose query is another each time
            _remember(self._posts, whole, head)
        return head


def _remember(known: dict[bytes, T], text: bytes, found: T) -> None:
    if len(text) <= _LONGEST_KNOWN:
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[text] = found


def _headers_of(lines: bytes, is_get: bool) -> Headers | None:
    """The headers; None when one of them needs a real parser."""
    headers = Headers(is_get)
    for line in lines.split(b"\r\n") if lines else ():
        name, colon, value = line.partition(b":")
        if not colon or b"\n" in value or b"\r" in value or b"\0" in value:
            return None
        if not headers.take(name.lower(), value.strip()):
            return None
    return headers
