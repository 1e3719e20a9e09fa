"""The WHERE clause: conditions on tags, and the span of time that its comparisons of ``time`` leave."""

from __future__ import annotations

from typing import Protocol

from wattstead.web.influx.instant import duration_us, moment_us
from wattstead.web.influx.pattern import Pattern, pattern
from wattstead.web.influx.question import AllOf, AnyOf, Condition, Span, TagMatch
from wattstead.web.influx.tokens import ParseError, Shape, Token

_DEEPEST = 50
_LATEST_US = 1 << 62


class Tokens(Protocol):
    """What the clause needs of the reader it is part of."""

    now_us: int

    @property
    def token(self) -> Token: ...
    def step(self) -> Token: ...
    def take(self, *words: str) -> bool: ...
    def need(self, *words: str) -> None: ...
    def name(self) -> str: ...
    def kind_of_name(self) -> str: ...
    def duration(self) -> int: ...
    def expected(self, what: str) -> ParseError: ...


class Where:
    """Reads one clause; times narrow the span and are left out of the condition."""

    def __init__(self, reader: Tokens) -> None:
        self.reader = reader
        self.start_us, self.end_us = -_LATEST_US, _LATEST_US

    def clause(self) -> tuple[Condition, Span]:
        """The condition on tags and the span; everything when there is no WHERE."""
        condition = self.any_of(0) if self.reader.take("WHERE") else AllOf()
        return condition, Span(
            None if self.start_us == -_LATEST_US else self.start_us,
            None if self.end_us == _LATEST_US else self.end_us,
        )

    def any_of(self, depth: int) -> Condition:
        """Terms joined by OR; a time inside such a term would make several spans, which is refused."""
        if depth > _DEEPEST:
            raise ParseError(f"WHERE is nested deeper than {_DEEPEST}")
        spans = (self.start_us, self.end_us)
        terms = [self.all_of(depth)]
        while self.reader.take("OR"):
            terms.append(self.all_of(depth))
        if len(terms) > 1 and spans != (self.start_us, self.end_us):
            raise ParseError("error parsing query: a comparison of time beside OR is not supported")
        return terms[0] if len(terms) == 1 else AnyOf(tuple(terms))

    def all_of(self, depth: int) -> Condition:
        """Terms joined by AND."""
        terms = [self.term(depth)]
        while self.reader.take("AND"):
            terms.append(self.term(depth))
        kept = [term for term in terms if term != AllOf()]
        return kept[0] if len(kept) == 1 else AllOf(tuple(kept))

    def term(self, depth: int) -> Condition:
        """A bracket, a comparison of time or one of a tag."""
        if self.reader.take("("):
            condition = self.any_of(depth + 1)
            self.reader.need(")")
            return condition
        token, name = self.reader.token, self.reader.name()
        kind = self.reader.kind_of_name()
        if name.lower() == "time":
            self.time()
            return AllOf()
        if kind not in ("", "tag"):
            raise ParseError(f'comparing the field "{name}" is not supported: only time and tags', token.place)
        return self.tag(name)

    def tag(self, name: str) -> TagMatch:
        """``= 'x'``, ``!= 'x'``, ``=~ /x/`` or ``!~ /x/``."""
        sign = self.reader.step()
        if sign.word in ("=~", "!~") and self.reader.token.shape is Shape.REGEX:
            return TagMatch(name, pattern(self.reader.step().text), sign.word == "!~")
        if sign.word in ("=", "!=", "<>") and self.reader.token.shape is Shape.TEXT:
            return TagMatch(name, Pattern.exactly(self.reader.step().text), sign.word != "=")
        raise ParseError(
            f'found {sign.text or "EOF"} {self.reader.token.text} after "{name}", '
            "expected =, != with a text in single quotes, or =~, !~ with a regular expression",
            sign.place,
        )

    def time(self) -> None:
        """A comparison of time narrows the span."""
        sign = self.reader.step()
        instant = self.instant()
        if sign.word in (">=", ">", "="):
            self.start_us = max(self.start_us, instant + (sign.word == ">"))
        if sign.word in ("<=", "<", "="):
            self.end_us = min(self.end_us, instant + (sign.word != "<"))
        if sign.word not in (">=", ">", "=", "<=", "<"):
            raise ParseError(f"invalid time comparison operator: {sign.text or 'EOF'}", sign.place)

    def instant(self) -> int:
        """``now() - 1h``, ``'2026-11-20T10:00:00Z'`` or a number with or without a unit (nanoseconds)."""
        token = self.reader.step()
        if token.shape is Shape.TEXT:
            found = moment_us(token.text, token.place)
        elif token.word == "NOW":
            self.reader.need("(", ")")
            found = self.reader.now_us
        elif token.shape is Shape.NUMBER:
            found = int(token.text) // 1_000 if token.text.isdecimal() else duration_us(token.text, token.place)
        elif token.word == "-" and self.reader.token.shape is Shape.NUMBER:
            number = self.reader.step()
            found = -(int(number.text) // 1_000 if number.text.isdecimal() else duration_us(number.text, number.place))
        else:
            raise ParseError(f"found {token.text or 'EOF'}, expected a time", token.place)
        while self.reader.token.word in ("+", "-"):
            found += (1 if self.reader.step().word == "+" else -1) * self.reader.duration()
        if abs(found) >= _LATEST_US:
            raise ParseError("time is outside the range that can be stored", token.place)
        return found
