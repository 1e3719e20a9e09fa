"""InfluxQL by recursive descent: tokens into frozen statements; knows no points and no store."""

from __future__ import annotations

from wattstead.web.influx.instant import duration_us
from wattstead.web.influx.pattern import Pattern, pattern
from wattstead.web.influx.question import AGGREGATES, Column, Done, Fill, Select, Show, Statement
from wattstead.web.influx.tokens import ParseError, Shape, Token, tokens
from wattstead.web.influx.where import Where

MOST_STATEMENTS = 50
"""Statements one request may hold."""
_SUBJECTS = ("DATABASES", "MEASUREMENTS", "SERIES", "TAG", "FIELD", "RETENTION")
_AGGREGATES = ", ".join(AGGREGATES)


def parse(query: str, now_us: int) -> list[Statement]:
    """The statements of a request; ``now()`` is ``now_us``. Raises `ParseError` with Influx's wording.

    >>> parse("SHOW DATABASES", 0)[0].subject
    'DATABASES'
    """
    reader = Reader(tokens(query), now_us)
    found: list[Statement] = []
    while not reader.at(Shape.END):
        if reader.take(";"):
            continue
        found.append(reader.statement())
        if not reader.at(Shape.END):
            reader.need(";")
    if not 0 < len(found) <= MOST_STATEMENTS:
        raise ParseError(f"found {len(found)} statements, expected 1 to {MOST_STATEMENTS}")
    return found


class Reader:
    """A place in the tokens, and one method for each rule of the grammar."""

    def __init__(self, row: list[Token], now_us: int) -> None:
        self.row, self.place, self.now_us = row, 0, now_us

    @property
    def token(self) -> Token:
        """The token that is read next."""
        return self.row[self.place]

    def at(self, *shapes: Shape) -> bool:
        """Whether the next token is of one of these shapes."""
        return self.row[self.place].shape in shapes

    def step(self) -> Token:
        """Take the next token, whatever it is."""
        token = self.token
        self.place = min(self.place + 1, len(self.row) - 1)
        return token

    def take(self, *words: str) -> bool:
        """Take these keywords or signs if they come next."""
        if [t.word for t in self.row[self.place : self.place + len(words)]] == list(words):
            self.place += len(words)
            return True
        return False

    def need(self, *words: str) -> None:
        """Take these keywords or signs, or say what came instead."""
        for word in words:
            if not self.take(word):
                raise self.expected(word)

    def expected(self, what: str) -> ParseError:
        """The error that something else came next."""
        return ParseError(f"error parsing query: found {self.token.text or 'EOF'}, expected {what}", self.token.place)

    def name(self) -> str:
        """A name, quoted or not."""
        if not self.at(Shape.NAME, Shape.QUOTED):
            raise self.expected("identifier")
        return self.step().text

    def number(self, what: str) -> int:
        """A whole number."""
        if not self.at(Shape.NUMBER) or not self.token.text.isdecimal() or len(self.token.text) > 12:
            raise self.expected(f"a whole number after {what}")
        return int(self.step().text)

    def duration(self) -> int:
        """A duration in microseconds; a minus before it is allowed."""
        sign = -1 if self.take("-") else 1
        if not self.at(Shape.NUMBER):
            raise self.expected("duration")
        token = self.step()
        return sign * duration_us(token.text, token.place)

    def statement(self) -> Statement:
        """One statement."""
        if self.take("SELECT"):
            return self.select()
        if self.take("SHOW"):
            return self.show()
        if self.take("CREATE", "DATABASE"):
            return self.create()
        raise self.expected("SELECT, SHOW, CREATE DATABASE")

    def create(self) -> Done:
        """CREATE DATABASE name, with whatever retention it may name."""
        self.name()
        while not self.at(Shape.END) and self.token.word != ";":
            self.step()
        return Done()

    def select(self) -> Select:
        """SELECT … FROM … and its clauses in Influx's order."""
        columns = [self.column()]
        while self.take(","):
            columns.append(self.column())
        if len({bool(c.aggregate) for c in columns}) > 1:
            raise ParseError("error parsing query: mixing aggregate and non-aggregate queries is not supported")
        self.need("FROM")
        measurements = self.measurements()
        condition, span = Where(self).clause()
        every_us, offset_us, tags, every_tag = self.group_by()
        if every_us and not columns[0].aggregate:
            raise ParseError("error parsing query: GROUP BY requires at least one aggregate function")
        fill, fill_value = self.fill()
        descending = self.order_by()
        limit, offset, series_limit, series_offset = (
            self.number(word) if self.take(word) else 0 for word in ("LIMIT", "OFFSET", "SLIMIT", "SOFFSET")
        )
        return Select(
            tuple(columns),
            measurements,
            condition,
            span,
            every_us=every_us,
            offset_us=offset_us,
            tags=tags,
            every_tag=every_tag,
            fill=fill,
            fill_value=fill_value,
            descending=descending,
            limit=limit,
            offset=offset,
            series_limit=series_limit,
            series_offset=series_offset,
            zone=self.zone(),
        )

    def column(self) -> Column:
        """A field, or an aggregate of one, with its name in the answer."""
        if self.take("*"):
            return Column("*", "", "")
        token, name = self.token, self.name()
        aggregate = ""
        if token.shape is Shape.NAME and self.take("("):
            aggregate = name.lower()
            if aggregate not in AGGREGATES:
                raise ParseError(f"undefined function {name}(): known are {_AGGREGATES}", token.place)
            name = "*" if self.take("*") else self.name()
            self.kind_of_name()
            self.need(")")
        else:
            self.kind_of_name()
        if self.token.word in ("+", "-", "*"):
            raise self.expected("FROM; arithmetic in SELECT is not supported")
        shown = self.name() if self.take("AS") else aggregate or name
        return Column(name, aggregate, shown)

    def kind_of_name(self) -> str:
        """``::tag`` or ``::field`` behind a name."""
        if not self.take("::"):
            return ""
        kind = self.name().lower()
        if kind not in ("tag", "field", "float", "integer"):
            raise self.expected("tag, field, float or integer after ::")
        return kind

    def measurements(self) -> tuple[Pattern, ...]:
        """One or more measurements: a name, ``database.retention.name`` or a regular expression."""
        found = [self.measurement()]
        while self.take(","):
            found.append(self.measurement())
        return tuple(found)

    def measurement(self) -> Pattern:
        """One measurement."""
        if self.at(Shape.REGEX):
            return pattern(self.step().text)
        name = self.name()
        while self.take("."):
            if self.at(Shape.REGEX):
                return pattern(self.step().text)
            if self.token.word != ".":
                name = self.name()
        return Pattern.exactly(name)

    def group_by(self) -> tuple[int, int, tuple[str, ...], bool]:
        """GROUP BY: the time step and its offset in µs, the tags, and whether every tag groups."""
        every_us, offset_us, tags, every_tag = 0, 0, list[str](), False
        if not self.take("GROUP", "BY"):
            return 0, 0, (), False
        while True:
            if self.take("*"):
                every_tag = True
            elif self.take("TIME", "("):
                every_us = self.duration()
                offset_us = self.duration() if self.take(",") else 0
                self.need(")")
                if every_us <= 0:
                    raise ParseError("error parsing query: time dimension must be positive and a whole microsecond")
            else:
                tags.append(self.name())
                self.kind_of_name()
            if not self.take(","):
                return every_us, offset_us, tuple(dict.fromkeys(tags)), every_tag

    def fill(self) -> tuple[Fill, float]:
        """FILL(null | none | previous | a number)."""
        if not self.take("FILL"):
            return Fill.NULL, 0.0
        self.need("(")
        sign = -1.0 if self.take("-") else 1.0
        token = self.step()
        self.need(")")
        if token.shape is Shape.NUMBER and token.text.replace(".", "", 1).isdecimal():
            return Fill.NUMBER, sign * float(token.text)
        if token.text.lower() in ("null", "none", "previous"):
            return Fill(token.text.lower()), 0.0
        raise ParseError(f"fill({token.text}) is not supported: null, none, previous or a number", token.place)

    def order_by(self) -> bool:
        """ORDER BY time: whether the newest comes first."""
        if not self.take("ORDER", "BY"):
            return False
        if self.name().lower() != "time":
            raise ParseError("error parsing query: only ORDER BY time supported at this time")
        return self.take("DESC") or (self.take("ASC") and False)

    def zone(self) -> str:
        """``tz('Europe/Paris')``."""
        if not self.take("TZ", "("):
            return "UTC"
        if not self.at(Shape.TEXT):
            raise self.expected("a time zone in single quotes")
        zone = self.step().text
        self.need(")")
        return zone

    def show(self) -> Show:
        """SHOW …"""
        if self.token.word not in _SUBJECTS:
            raise self.expected(", ".join(_SUBJECTS))
        subject = self.step().word
        second = {"TAG": ("KEYS", "VALUES"), "FIELD": ("KEYS",), "RETENTION": ("POLICIES",)}.get(subject, ())
        if second:
            if self.token.word not in second:
                raise self.expected(" or ".join(second))
            subject = f"{subject} {self.step().word}"
        if self.take("ON"):
            self.name()
        measurements: tuple[Pattern, ...] = ()
        if self.take("FROM"):
            measurements = self.measurements()
        elif subject == "MEASUREMENTS" and self.take("WITH", "MEASUREMENT"):
            measurements = self.named()
        keys: tuple[Pattern, ...] = ()
        if subject == "TAG VALUES":
            self.need("WITH", "KEY")
            keys = self.keys()
        condition, _ = Where(self).clause()
        limit, offset = (self.number(word) if self.take(word) else 0 for word in ("LIMIT", "OFFSET"))
        return Show(subject, measurements, condition, keys, limit, offset)

    def named(self) -> tuple[Pattern, ...]:
        """``= name`` or ``=~ /regex/``."""
        if self.take("=~") and self.at(Shape.REGEX):
            return (pattern(self.step().text),)
        self.need("=")
        return (Pattern.exactly(self.name()),)

    def keys(self) -> tuple[Pattern, ...]:
        """``= key``, ``=~ /regex/`` or ``IN (key, …)``."""
        if not self.take("IN"):
            return self.named()
        self.need("(")
        found = [Pattern.exactly(self.name())]
        while self.take(","):
            found.append(Pattern.exactly(self.name()))
        self.need(")")
        return tuple(found)
