"""Line protocol: each rule of its grammar, InfluxDB's words for faults, and one answer from both ways of reading."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.influx.address import address_of, series_of
from wattstead.ingest.influx.decode import PRECISIONS, LineDecoder
from wattstead.ingest.influx.line import LONGEST_LINE, LineInvalid, SeriesMemory, lines, parse

pytestmark = pytest.mark.unit

NOW_US = 1_700_000_000_123_456


def rows(columns: Columns) -> list[tuple[str, int, float, str, bool]]:
    untimed = np.broadcast_to(np.asarray(columns.untimed), len(columns))
    return [
        (columns.names.address(i), int(columns.time_us[i]), float(columns.value[i]), columns.place(i), bool(untimed[i]))
        for i in range(len(columns))
    ]


@pytest.mark.parametrize(
    "line, expected",
    [
        (b"a b=1", [("influx/a/b", 1.0)]),
        (b"a,x=1,k=2 b=1.5,c=-2i 7", [("influx/a,k=2,x=1/b", 1.5), ("influx/a,k=2,x=1/c", -2.0)]),
        (b"a b=t,c=T,d=true,e=True,f=TRUE", [(f"influx/a/{c}", 1.0) for c in "bcdef"]),
        (b"a b=f,c=F,d=false,e=False,f=FALSE", [(f"influx/a/{c}", 0.0) for c in "bcdef"]),
        (b'a b="text, with = and \\" and \\\\",c=2', [("influx/a/c", 2.0)]),
        (b"a b=1e3,c=-.5,d=5.", [("influx/a/b", 1e3), ("influx/a/c", -0.5), ("influx/a/d", 5.0)]),
        (b"a b=1E-2,c=1e+2", [("influx/a/b", 0.01), ("influx/a/c", 100.0)]),
        (rb"a\ b\,c\=d,t\ 1=x\,y\=z f\ 1\,\==1", [(r"influx/a b\,c\\=d,t 1=x\,y\=z/f 1,=", 1.0)]),
        (rb"a\\,t=1 b=1", [(r"influx/a\\\,t=1/b", 1.0)]),
        ("mètre,lieu=été °C=1".encode(), [("influx/mètre,lieu=été/°C", 1.0)]),
        (b"a b/c=1", [(r"influx/a/b\/c", 1.0)]),
        (b"a   b=1   7", [("influx/a/b", 1.0)]),
        (b"a b=9223372036854775807i,c=18446744073709551615u", [("influx/a/b", 2.0**63), ("influx/a/c", 2.0**64)]),
    ],
)  # fmt: skip
def test_each_form(line: bytes, expected: list[tuple[str, float]]) -> None:
    found = parse(line, SeriesMemory())
    assert list(zip(found.addresses, found.values, strict=True)) == expected
    for address in found.addresses:
        series = series_of(address)
        assert series is not None and address_of(*series) == address


@pytest.mark.parametrize(
    "line, fault",
    [
        (b",a b=1", "missing measurement"), (b"cpu", "missing fields"), (b"cpu,a b=1", "missing tag value"),
        (b"cpu,=x b=1", "missing tag key"), (b"cpu,a= b=1", "missing tag value"),
        (b"cpu,a=1=2 b=1", "invalid tag format"),
        (b"cpu b", "invalid field format"), (b"cpu b=", "missing field value"), (b"cpu =1", "missing field key"),
        (b"cpu b=1,", "invalid field format"), (b"cpu b=1,=2", "missing field key"),
        (b'cpu b="x', "unbalanced quotes"),
        (b"cpu b=1 noon", "bad timestamp"), (b"cpu b=1 1.5", "bad timestamp"), (b"cpu b=1 1 1", "bad timestamp"),
        (b"cpu b=1.1.1", "invalid number"), (b"cpu b=NaN", "invalid number"), (b"cpu b=-inf", "invalid number"),
        (b"cpu b=+1", "invalid number"), (b"cpu b=0x1F", "invalid number"), (b"cpu b=1_0", "invalid number"),
        (b"cpu b=yes", "invalid boolean"), (b"cpu b=1e999", "invalid float"), (b"cpu b=1.5i", "invalid number"),
        (b"cpu b=9223372036854775808i", "unable to parse integer '9223372036854775808'"),
        (b"cpu b=-1u", "unable to parse unsigned '-1'"), (b"cpu,a=1,a=2 b=1", "duplicate tags"),
        (b"cpu b=1 9223372036854775808", "time outside range"), (b"\xff b=1", "is not UTF-8"),
        (b"x" * (LONGEST_LINE + 1), "at most 131,072 are read"),
    ],
)  # fmt: skip
def test_each_fault_in_influx_words(line: bytes, fault: str) -> None:
    with pytest.raises(LineInvalid) as caught:
        parse(line, SeriesMemory())
    assert fault in str(caught.value)


def test_a_faulty_line_is_named_and_the_others_kept() -> None:
    body = b'a b=1 1\n\n# note\na b=\n  a c=2 2\r\nd e="two\nlines",f=3 3\na b="never closed 4\na b=5 5\n'
    columns = LineDecoder(1_000_000).decode(body, "s", NOW_US)
    assert [(row[0], row[1], row[2], row[3]) for row in rows(columns)] == [
        ("influx/a/b", 1_000_000, 1.0, "line 1"), ("influx/a/c", 2_000_000, 2.0, "line 5"),
        ("influx/d/f", 3_000_000, 3.0, "line 6"), ("influx/a/b", 5_000_000, 5.0, "line 9"),
    ]  # fmt: skip
    assert [issue.place for issue in columns.rejected.listed] == ["line 4", "line 8"]
    assert columns.rejected.listed[0].reason == "unable to parse 'a b=': missing field value"
    assert columns.skipped == 1


@pytest.mark.parametrize("precision", PRECISIONS)
def test_each_precision(precision: str) -> None:
    step_us = PRECISIONS[precision]
    for body in (b"a b=1 1700000\na c=1 -7\n", b'a b=1 1700000\na c=1,d="x" -7\n'):
        columns = LineDecoder(1_000_000).decode(body, precision, NOW_US)
        assert columns.time_us.tolist() == [int(1_700_000 * step_us), int(-7 * step_us) - (step_us < 1)]


def test_an_unknown_precision_is_named() -> None:
    with pytest.raises(ParameterInvalid, match="precision is 'fortnight'"):
        LineDecoder(1_000_000).decode(b"a b=1", "fortnight", 0)


def test_a_time_that_does_not_fit_is_named() -> None:
    columns = LineDecoder(1_000_000).decode(b"a b=1 9223372036854775807\na b=2 5\n", "h", NOW_US)
    assert columns.value.tolist() == [2.0] and "time outside range" in columns.rejected.listed[0].reason


def test_quoted_texts_without_end_cost_little() -> None:
    body = b'a b="x\n' * 3 + b'a b=1,c="' + b"y\n" * 100_000
    numbers = [number for number, _ in lines(body)]
    assert numbers[:4] == [1, 2, 3, 4] and numbers[-1] == 100_003


class OnlyAtOnce(LineDecoder):
    """Fails where a body would be read line by line."""

    def _line_by_line(self, body: bytes, step_us: float, now_us: int) -> Columns:
        raise AssertionError(f"{body!r} was not read at once")


@pytest.mark.parametrize(
    "fields",
    ["v=1", "v=1.5", "v=-2e-5", "v=1i", "v=1u", "v=1,w=2", "v=1,w=2i,x=3.5,y=4u", "v=1 17000", "v=1,w=-2i 17000"],
)
def test_regular_bodies_are_read_at_once(fields: str) -> None:
    decoder = OnlyAtOnce(1_000_000)
    body = "".join(f"m,id={i},site=north {fields}\n" for i in range(50)).encode()
    for text in (body, body.replace(b"=1", b"=12345").replace(b"id=12345", b"id=1"), body[:-1]):
        assert rows(decoder.decode(text, "s", NOW_US)) == rows(LineDecoder(0).line_by_line(text, "s", NOW_US))


def test_what_is_remembered_stays_within_its_limit() -> None:
    decoder = LineDecoder(20_000)
    for sender in range(200):
        body = "".join(f"m{sender},id={i} v={i}\n" for i in range(10)).encode()
        assert len(decoder.decode(body, "s", NOW_US)) == 10
    assert 0 < decoder.remembered_bytes <= 20_000


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=6)
ESCAPED = st.text(st.sampled_from('ab,= "\\é/'), min_size=1, max_size=6)
PLAIN_NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.decimals(-100000, 100000, places=3).map(str),
)
ALL_NUMBERS = st.one_of(
    PLAIN_NUMBERS,
    st.integers(-(2**64), 2**64).map(lambda n: f"{n}i"),
    st.integers(-1, 2**64 + 1).map(lambda n: f"{n}u"),
    st.sampled_from(["t", "F", "true", '"x"', '"a\nb"', '"', "", "+1", "1e", "1e400", "nan"]),
    st.sampled_from(["0x1F", "5ii", "1.5i", "1 ", "e5", "-", "1e+5", "+1e5", ".", "1/2", "00.5", "-0"]),
)  # fmt: skip
TIMES = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(str), st.sampled_from(["", "1.5", "x", "99999999999999999999", "-", "+5"])
)


def escape(text: str, special: str) -> str:
    return "".join("\\" + c if c in special else c for c in text)


@st.composite
def regular_bodies(draw: st.DrawFn) -> bytes:
    """Bodies of one shape: the same names in each draw of numbers, as a sender writes them."""
    count = draw(st.integers(1, 6))
    timed = draw(st.booleans())
    shape = [
        (draw(WORDS), draw(st.dictionaries(WORDS, WORDS, max_size=2)), draw(st.lists(WORDS, min_size=1, max_size=3)))
        for _ in range(count)
    ]
    written = []
    for measurement, tags, fields in shape:
        head = measurement + "".join(f",{k}={v}" for k, v in tags.items())
        line = f"{head} {','.join(f'{f}={draw(PLAIN_NUMBERS)}' for f in fields)}"
        written.append(f"{line} {draw(st.integers(-(2**62), 2**62))}" if timed else line)
    return ("\n".join(written) + draw(st.sampled_from(["", "\n"]))).encode()


@st.composite
def wild_bodies(draw: st.DrawFn) -> bytes:
    """Bodies in which anything may be wrong."""
    written = []
    for _ in range(draw(st.integers(0, 6))):
        names = draw(st.sampled_from([WORDS, ESCAPED]))
        head = escape(draw(names), ", ") + "".join(
            f",{escape(k, ',= ')}={escape(v, ',= ')}"
            for k, v in draw(st.dictionaries(names, names, max_size=2)).items()
        )
        fields = draw(st.lists(st.tuples(names, ALL_NUMBERS), max_size=3))
        line = f"{head} {','.join(f'{escape(f, chr(44) + chr(61) + chr(32))}={v}' for f, v in fields)} {draw(TIMES)}"
        cut = draw(st.integers(0, 12))
        written.append(
            line if cut else draw(st.sampled_from(["", "#", "# a b=1", line[1:], line[:-1], " " + line, line + "\r"]))
        )
    return "\n".join(written).encode()


def agree(body: bytes, precision: str, *decoders: LineDecoder) -> None:
    expected = LineDecoder(0).line_by_line(body, precision, NOW_US)
    for decoder in decoders:
        for _ in range(2):
            found = decoder.decode(body, precision, NOW_US)
            assert rows(found) == rows(expected)
            assert found.rejected.listed == expected.rejected.listed and found.skipped == expected.skipped


def test_what_is_found_out_in_a_thread_is_known_outside() -> None:
    body = b"".join(b"meter,id=%d power=%d 5\n" % (number, number) for number in range(50))[:-1]
    inside, outside = LineDecoder(1_000_000), LineDecoder(1_000_000)
    assert outside.known(body, "s", NOW_US) is None
    expected = rows(inside.decode(body, "s", NOW_US))
    for _ in range(2):
        outside.learn(inside, body)
    found = outside.known(body, "s", NOW_US)
    assert found is not None and rows(found) == expected
    assert outside.remembered_bytes == inside.remembered_bytes
    assert outside.known(body.replace(b"id=49", b"id=50"), "s", NOW_US) is None


REMEMBERING = LineDecoder(1_000_000)


@given(regular_bodies(), st.sampled_from(["ns", "us", "s"]))
def test_both_ways_agree_on_regular_bodies(body: bytes, precision: str) -> None:
    agree(body, precision, LineDecoder(1_000_000), REMEMBERING)


@given(wild_bodies(), st.sampled_from(["ns", "s", "h"]))
def test_both_ways_agree_on_anything(body: bytes, precision: str) -> None:
    agree(body, precision, LineDecoder(1_000_000), REMEMBERING)


@given(st.binary(max_size=80))
def test_both_ways_agree_on_bytes(body: bytes) -> None:
    agree(body, "ns", REMEMBERING)


NUMBERS_OF_A_SENDER = st.lists(st.tuples(ALL_NUMBERS, ALL_NUMBERS, TIMES), min_size=3, max_size=3)


@given(st.lists(NUMBERS_OF_A_SENDER, min_size=2, max_size=5))
def test_both_ways_agree_on_a_sender_with_changing_numbers(bodies: list[list[tuple[str, str, str]]]) -> None:
    decoder = LineDecoder(1_000_000)
    decoder.decode(b"".join(b"m,id=%d a=1,b=2 3\n" % i for i in range(3)), "s", NOW_US)
    for numbers in bodies:
        body = "".join(f"m,id={i} a={a},b={b} {t}\n" for i, (a, b, t) in enumerate(numbers)).encode()
        agree(body, "s", decoder)


@given(ESCAPED, st.dictionaries(ESCAPED, ESCAPED, max_size=3), ESCAPED)
def test_addresses_are_different_and_can_be_read_back(measurement: str, tags: dict[str, str], field: str) -> None:
    address = address_of(measurement, tags, field)
    assert series_of(address) == (measurement, tags, field)
