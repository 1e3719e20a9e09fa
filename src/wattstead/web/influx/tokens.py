"""InfluxQL text into tokens with their places; knows no grammar."""

from __future__ import annotations

import re
from enum import Enum

import msgspec

from wattstead.metering.errors import WattsteadError

LONGEST_QUERY = 65_536
"""Characters of one request that are read; more is an error."""

_PIECES = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<number>\d+(?:\.\d+)?(?:(?:ns|ms|us|u|µs|µ|s|m|h|d|w)(?:\d+(?:ns|ms|us|u|µs|µ|s|m|h|d|w))*)?(?![A-Za-z_]))
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<quoted>"(?:[^"\\\n]|\\.)*")
  | (?P<text>'(?:[^'\\\n]|\\.)*')
  | (?P<regex>/(?:[^/\\\n]|\\.)*/)
  | (?P<sign>::|=~|!~|!=|<>|<=|>=|[=<>(),.;*+\-])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_NAMED = {"n": "\n", "\\": "\\", "'": "'", '"': '"'}


class ParseError(WattsteadError):
    """A query that cannot be read; the message has Influx's own form."""

    def __init__(self, reason: str, place: int = -1) -> None:
        super().__init__(reason if place < 0 else f"{reason} at line 1, char {place + 1}")
        self.place = place


class Shape(Enum):
    """What a token is."""

    NAME = "name"
    QUOTED = "quoted name"
    TEXT = "text"
    REGEX = "regular expression"
    NUMBER = "number"
    SIGN = "sign"
    END = "EOF"


class Token(msgspec.Struct, frozen=True):
    """One token: its text without quotes, and where it begins."""

    shape: Shape
    text: str
    place: int

    @property
    def word(self) -> str:
        """The keyword that an unquoted name or a sign may be, in capitals; empty for anything else."""
        return self.text.upper() if self.shape in (Shape.NAME, Shape.SIGN) else ""


def tokens(query: str) -> list[Token]:
    """All tokens of the query and an END; `ParseError` names the first character that fits nothing.

    >>> [t.text for t in tokens('SELECT mean("value") FROM cpu')]
    ['SELECT', 'mean', '(', 'value', ')', 'FROM', 'cpu', '']
    """
    if len(query) > LONGEST_QUERY:
        raise ParseError(f"the query has {len(query)} characters; at most {LONGEST_QUERY} are read")
    found: list[Token] = []
    place = 0
    while place < len(query):
        piece = _PIECES.match(query, place)
        if piece is None:
            raise ParseError(f"found {query[place]}, expected a name, a number, a text or a sign", place)
        if piece.lastgroup != "space":
            found.append(_token(str(piece.lastgroup), piece.group(), place))
        place = piece.end()
    found.append(Token(Shape.END, "", len(query)))
    return found


def _token(group: str, text: str, place: int) -> Token:
    if group in ("quoted", "text"):
        inner = _ESCAPE.sub(lambda m: _NAMED.get(m.group(1), m.group(0)), text[1:-1])
        return Token(Shape.QUOTED if group == "quoted" else Shape.TEXT, inner, place)
    if group == "regex":
        return Token(Shape.REGEX, text[1:-1].replace("\\/", "/"), place)
    return Token(Shape[group.upper()], text, place)
