"""Plan: what to ask an HTTP server for, and what its answers say; data and pure functions, no library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.sources.source_protocol import Message


def with_params(url: str, params: Mapping[str, str]) -> str:
    """An address with these parameters too.

    >>> with_params("https://h/p?a=1", {"b": "x y"})
    'https://h/p?a=1&b=x+y'
    """
    if not params:
        return url
    where = urlsplit(url)
    told = {**dict(parse_qsl(where.query, keep_blank_values=True)), **params}
    return urlunsplit(where._replace(query=urlencode(told, safe=",:-")))


MOST_SPREAD = 200_000
"""Readings that a few lines of one answer may stand for: prices that hold for long are spread over their steps."""


class Request(NamedTuple):
    """What to ask for."""

    url: str
    params: Mapping[str, str] = {}
    secret: Mapping[str, str] = {}
    """Parameters that no message may hold."""
    headers: Mapping[str, str] = {}
    says_no: frozenset[int] = frozenset()
    """Statuses beyond 200 whose answers the protocol reads itself."""

    @property
    def shown(self) -> str:
        """The address for people, without secrets."""
        return with_params(self.url, self.params)

    @property
    def whole(self) -> str:
        """The address as it is asked for."""
        return with_params(self.url, {**self.params, **self.secret})


class Answer(NamedTuple):
    """What came."""

    raw: bytes
    status: int
    request: Request


def no_more(answer: Answer) -> Request | None:
    """For answers that come on one page."""
    return None


class Plan(NamedTuple):
    """How a protocol asks."""

    requests: Callable[[int], Iterable[Request]]
    """What to ask for at an instant, microseconds since 1970."""
    decode: Callable[[Message], Columns | Few]
    after: Callable[[Answer], Request | None] = no_more
    """The next page, where an answer names one; raises `Unreadable`."""
