"""InfluxQL text into frozen questions: what Grafana and other clients really send, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.web.influx.instant import duration_us, moment_us, shown
from wattstead.web.influx.parse import parse
from wattstead.web.influx.pattern import Pattern, pattern
from wattstead.web.influx.question import AllOf, AnyOf, Column, Done, Fill, Select, Show, Span, TagMatch
from wattstead.web.influx.tokens import ParseError

pytestmark = pytest.mark.unit
NOW_US = 1_700_000_000_000_000


def only(query: str) -> Select:
    (statement,) = parse(query, NOW_US)
    assert isinstance(statement, Select)
    return statement


def shows(query: str) -> Show:
    (statement,) = parse(query, NOW_US)
    assert isinstance(statement, Show)
    return statement


def test_a_grafana_panel() -> None:
    asked = only(
        'SELECT mean("usage") FROM "cpu" WHERE ("host"::tag =~ /^(a|b)$/) AND time >= 1690000000000ms and '
        'time <= 1690003600000ms GROUP BY time(30s), "host"::tag fill(null) ORDER BY time ASC'
    )
    assert asked.columns == (Column("usage", "mean", "mean"),)
    assert asked.measurements == (Pattern.exactly("cpu"),)
    assert asked.condition == TagMatch("host", pattern("^(a|b)$"))
    assert asked.span == Span(1_690_000_000_000_000, 1_690_003_600_000_001)
    assert (asked.every_us, asked.tags, asked.fill, asked.descending) == (30_000_000, ("host",), Fill.NULL, False)


def test_every_clause() -> None:
    asked = only(
        'select MAX(v) as "top", count("w") from db.autogen."m x" where time > now() - 1h30m and a=\'it\\\'s\' '
        "group by time(1d, -6h), * fill(-1.5) order by time desc limit 3 offset 1 slimit 2 soffset 1 tz('Asia/Kolkata')"
    )
    assert asked.columns == (Column("v", "max", "top"), Column("w", "count", "count"))
    assert asked.measurements[0].matches("m x")
    assert asked.condition == TagMatch("a", Pattern.exactly("it's"))
    assert asked.span == Span(NOW_US - 5_400_000_000 + 1, None)
    assert (asked.every_us, asked.offset_us, asked.every_tag) == (86_400_000_000, -21_600_000_000, True)
    assert (asked.fill, asked.fill_value, asked.descending) == (Fill.NUMBER, -1.5, True)
    assert (asked.limit, asked.offset, asked.series_limit, asked.series_offset) == (3, 1, 2, 1)
    assert asked.zone == "Asia/Kolkata"


def test_conditions_nest() -> None:
    condition = only("SELECT last(v) FROM m WHERE (a='1' OR a='2') AND b != 'x' AND time < 10").condition
    assert isinstance(condition, AllOf)
    assert isinstance(condition.terms[0], AnyOf)
    assert condition.holds({"a": "2", "b": "y"})
    assert not condition.holds({"a": "2", "b": "x"})
    assert not condition.holds({"a": "3"})


def test_several_statements() -> None:
    found = parse('CREATE DATABASE "energy" WITH DURATION 7d; SHOW DATABASES;\nSELECT v FROM m -- all', NOW_US)
    assert [type(statement) for statement in found] == [Done, Show, Select]


@pytest.mark.parametrize(
    ("query", "subject"),
    [
        ("SHOW DATABASES", "DATABASES"),
        ('SHOW RETENTION POLICIES ON "x"', "RETENTION POLICIES"),
        ("SHOW MEASUREMENTS LIMIT 100", "MEASUREMENTS"),
        ("SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)cpu/ LIMIT 100", "MEASUREMENTS"),
        ('SHOW TAG KEYS FROM "cpu"', "TAG KEYS"),
        ('SHOW TAG VALUES FROM "cpu" WITH KEY = "host" WHERE "region" = \'eu\'', "TAG VALUES"),
        ("SHOW TAG VALUES WITH KEY IN (host, region) LIMIT 5", "TAG VALUES"),
        ('SHOW FIELD KEYS ON "db" FROM "cpu"', "FIELD KEYS"),
        ('SHOW SERIES FROM "cpu"', "SERIES"),
    ],
)
def test_show(query: str, subject: str) -> None:
    assert shows(query).subject == subject


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "found 0 statements"),
        ("DROP DATABASE x", "expected SELECT, SHOW, CREATE DATABASE at line 1, char 1"),
        ("SELECT mean(v FROM m", "found FROM, expected )"),
        ("SELECT median(v) FROM m", "undefined function median()"),
        ("SELECT mean(v) * 2 FROM m", "arithmetic in SELECT is not supported"),
        ("SELECT mean(v), w FROM m", "mixing aggregate and non-aggregate"),
        ("SELECT v FROM m GROUP BY time(1m)", "requires at least one aggregate"),
        ("SELECT mean(v) FROM m WHERE v > 5", 'found > 5 after "v"'),
        ("SELECT mean(v) FROM m WHERE time > 'soon'", "are not compatible"),
        ("SELECT mean(v) FROM m WHERE time > '2026-13-01'", "invalid time"),
        ("SELECT mean(v) FROM m WHERE a='1' OR time > 5", "comparison of time beside OR"),
        ("SELECT mean(v) FROM m GROUP BY time(0s)", "must be positive"),
        ("SELECT mean(v) FROM m GROUP BY time(5)", "expected a duration"),
        ("SELECT mean(v) FROM m GROUP BY time(1m) fill(linear)", "fill(linear) is not supported"),
        ("SELECT mean(v) FROM m WHERE a =~ /a+/", "has a +"),
        ("SELECT mean(v) FROM m WHERE a =~ /(a/", "an unclosed ("),
        ("SELECT mean(v) FROM m WHERE a =~ /x^a/", "an anchor in the middle"),
        ("SELECT mean(v) FROM m WHERE a = 'x", "found ', expected"),
        ("SELECT v FROM m; ; SELECT", "found EOF, expected identifier"),
        ("SELECT v FROM m WHERE time > 99999999999999999999999999", "outside the range"),
        ("SELECT v FROM m WHERE " + "(" * 60 + "a='1'" + ")" * 60, "nested deeper"),
        ("SELECT v FROM m " * 9000, "at most 65536"),
        ("SELECT v FROM m WHERE a =~ /" + "(a|b)" * 12 + "/", "more than 2000 alternatives"),
    ],
)
def test_what_is_refused_is_named(query: str, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(query, NOW_US)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("regex", "fits", "misses"),
    [
        ("^(a|b)$", ["a", "b"], ["ab", "", "A"]),
        ("a|b$", ["xax", "xb"], ["bx"]),
        (".*", ["", "anything"], []),
        ("^host-(0|1).*-x$", ["host-0-x", "host-1yy-x"], ["host-2-x", "host-0-"]),
        ("(?i)CPU", ["my cpu", "CPU"], ["gpu"]),
        (r"^10\.0\.0\.1$", ["10.0.0.1"], ["10a0b0c1"]),
        ("^a.*a$", ["aa", "aba"], ["a"]),
        ("(?:x|y)z", ["xz", "ayzb"], ["z"]),
    ],
)
def test_patterns(regex: str, fits: list[str], misses: list[str]) -> None:
    found = pattern(regex)
    assert all(found.matches(text) for text in fits)
    assert not any(found.matches(text) for text in misses)


def test_times() -> None:
    assert duration_us("1w2d", 0) == 9 * 86_400_000_000
    assert moment_us("2026-11-20 10:00:00.123456789", 0) == moment_us("2026-11-20T11:00:00.123456+01:00", 0)
    assert shown(1_500_000, "") == "1970-01-01T00:00:01.5Z"
    assert [shown(NOW_US, epoch) for epoch in ("ns", "u", "ms", "s", "h")] == [
        NOW_US * 1000, NOW_US, NOW_US // 1000, NOW_US // 1_000_000, NOW_US // 3_600_000_000,
    ]  # fmt: skip


@given(st.text(max_size=200) | st.from_regex(r"(SELECT|SHOW|FROM|WHERE|GROUP BY|time|'a'|/x/|[(),;=*0-9a-z\"' ])+"))
def test_any_text_is_a_question_or_a_parse_error(query: str) -> None:
    try:
        assert parse(query, NOW_US)
    except ParseError as error:
        assert str(error)
