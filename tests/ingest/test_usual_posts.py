"""Single posts of senders that are known: read the short way to the same readings as the long one, or not at all."""

from __future__ import annotations

import json
import urllib.parse

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wattstead.ingest.decoding.parameters import parameters
from wattstead.ingest.emoncms import bulk, post
from wattstead.ingest.emoncms.usual import UsualPosts
from wattstead.ingest.emoncms.values import NameMemory
from wattstead.ingest.influx.decode import LineDecoder

pytestmark = pytest.mark.unit

NAMES = st.sampled_from(["power1", "a", "time", "json=", "ä b", "1", "", "x&y", "fulljson"])
NUMBERS = st.one_of(st.integers(-(10**18), 10**18), st.floats())
ANY_VALUE = st.one_of(NUMBERS, st.none(), st.booleans(), st.text(max_size=3), st.just("9" * 400))
JSON = st.dictionaries(NAMES, ANY_VALUE, max_size=3).map(json.dumps)
LENIENT = st.lists(st.tuples(NAMES, ANY_VALUE), max_size=3).map(
    lambda pairs: "{" + ",".join(f"{name}:{value}" for name, value in pairs) + "}"
)
PARAMETER = st.one_of(
    st.tuples(st.sampled_from(["json", "fulljson"]), st.one_of(JSON, LENIENT)),
    st.tuples(st.sampled_from(["node", "apikey", "devicekey", "time", "csv", "data", "xjson"]), NAMES),
)
FORMS = st.lists(PARAMETER, min_size=1, max_size=4).map(lambda pairs: urllib.parse.urlencode(pairs).encode())


@given(FORMS, FORMS)
@example(b"node=5&fulljson=%7B%22a%22%3A1%7D&apikey=k", b"node=5&fulljson=%7B%22a%22%3A2%2C%22b%22%3A3%7D&apikey=k")
@example(b"json={a:1}", b"json={a:9999999999999999}")
@example(b"json=a:1&json=", b"json=b:2&json=")
@example(b"node=xjson=&json=a:1", b"node=xjson=&json=a:2")
def test_a_known_sender_is_read_as_any_other(first: bytes, second: bytes) -> None:
    usual = UsualPosts(NameMemory())
    usual.learn(first)
    usual.learn(second)
    for form in (first, second):
        known = usual.sender(form)
        if known is None:
            continue
        sender, text = known
        values = usual.values(sender, text)
        names = usual.names(sender, tuple(values)) if values else None
        if values is None or names is None:
            continue
        given_ = parameters(form, {})
        few = post.decode(given_, "", 7, NameMemory())
        assert (few.names.addresses, few.values) == (names.addresses, list(values.values()))
        assert few.untimed and few.time_us == 7 and not few.rejected
        assert sender.secret == (given_.get("apikey") or given_.get("devicekey") or "").lower()
        assert sender.is_full is ("fulljson" in given_)


@pytest.mark.parametrize(
    "form", [b"node=a&fulljson=%7B%22p%22%3A1.5%7D&apikey=K", b"apikey=k&json={p:1,q:-2.5}", b"json=p:1"]
)
def test_the_forms_of_common_senders_are_usual(form: bytes) -> None:
    usual = UsualPosts(NameMemory())
    assert usual.sender(form) is None
    usual.learn(form)
    known = usual.sender(form)
    assert known is not None and usual.values(*known)


@pytest.mark.parametrize(
    "form",
    [
        b"csv=1,2",
        b"json=a:1&time=5",
        b"json=a:1&csv=2",
        b"json=a:1&fulljson={}",
        b"json=a:1&json=b:2",
        b"xjson=a:1",
        b"",
    ],
)
def test_anything_else_is_not(form: bytes) -> None:
    usual = UsualPosts(NameMemory())
    usual.learn(form)
    assert usual.sender(form) is None


LINE = st.one_of(
    st.text(alphabet='ab,= "\\#0123456789.-tie\n\t', max_size=30).map(str.encode),
    st.tuples(st.sampled_from(["m", "m,t=1", "m,t=1,t=2", "#m", "m,", "é"]), JSON, st.integers(-(10**19), 10**19)).map(
        lambda one: f"{one[0]} a={one[1]},b=1i,c=t {one[2]}".encode()
    ),
    st.tuples(st.sampled_from(["m", "m,t=1", "m,t=1,t=2", "#m"]), NUMBERS, st.integers(-(10**19), 10**19)).map(
        lambda one: f"{one[0]} a={one[1]},b=1i,c=t {one[2]}\n".encode()
    ),
)


@given(LINE, st.sampled_from(["ns", "s", "h", "x"]))
def test_one_line_is_read_as_any_body(line: bytes, precision: str) -> None:
    decoder = LineDecoder(1_000_000)
    for _ in range(2):
        few = decoder.one_line(line, precision)
        if few is None:
            return
        columns = LineDecoder(1_000_000).line_by_line(line, precision, 0)
        rows = [(columns.names.address(row), columns.value[row], columns.time_us[row]) for row in range(len(columns))]
        found = [(few.names.address(row), value, few.time_us) for row, value in enumerate(few.values)]
        assert found == rows and not columns.rejected and not columns.skipped


def test_what_is_remembered_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wattstead.ingest.emoncms.usual._REMEMBERED_BYTES", 3_000)
    usual = UsualPosts(NameMemory())
    for node in range(20):
        usual.learn(b"node=%d&json=a:1" % node)
    known = [node for node in range(20) if usual.sender(b"node=%d&json=a:1" % node) is not None]
    assert known == list(range(known[0], 20)) and 1 <= len(known) < 10
    usual.learn(b"node=" + b"x" * 500 + b"&json=a:1")
    assert usual.sender(b"node=" + b"x" * 500 + b"&json=a:1") is None


def test_long_names_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node of a thousand letters stands in each of its addresses."""
    monkeypatch.setattr("wattstead.ingest.emoncms.values._REMEMBERED_BYTES", 5_000_000)
    memory = NameMemory()
    for node in range(30):
        assert memory.names(f"{node}{'x' * 1_000}", tuple(map(str, range(999)))) is not None
    held = sum(len(address) for names in memory._found.values() for address in names.addresses)
    assert 0 < held <= 5_000_000


def test_names_of_lines_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wattstead.ingest.influx.decode._NAMES_BYTES", 2_000_000)
    decoder = LineDecoder(1_000_000)
    for start in range(0, 40_000, 1_000):
        fields = ",".join(f"f{at}{'x' * 50}=1" for at in range(start, start + 1_000))
        assert len(decoder.decode(f"m,id=1 {fields} 5\n".encode(), "s", 0)) == 1_000
        assert len(decoder.decode(f"m,id={start}{'y' * 5_000} a=1,a=t 5\n\n".encode(), "s", 0)) == 2
    kept = decoder._series
    assert sum(len(head) + sum(map(len, known.values())) for head, known in kept.items()) < 2_000_000
    assert sum(len(line) for line in decoder._line_names) < 2_000_000


@pytest.mark.parametrize(
    ("precision", "time"), [("ns", "1796174921168657123"), ("ms", "1796174921168"), ("s", "1796174921")]
)
def test_a_plain_line_goes_the_short_way(precision: str, time: str) -> None:
    few = LineDecoder(1_000_000).one_line(f"m,id=7 power=1.5,on=t {time}\n".encode(), precision)
    assert few is not None and few.values == [1.5, 1.0] and few.time_us // 1_000_000 == 1_796_174_921


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
def test_what_is_no_finite_number_is_named(number: str) -> None:
    few = post.decode({"fulljson": f'{{"x":{number},"y":2.5}}'}, "", 0, NameMemory())
    assert (few.values, [issue.place for issue in few.rejected.listed]) == ([2.5], ["x"])


def test_a_sum_beyond_all_calendars_is_named_and_the_rest_kept() -> None:
    columns = bulk.decode({"time": "9000000000000"}, '[[9000000000000,"n",1],[-8999999999000,"n",2]]', 0)
    assert columns.value.tolist() == [2.0]
    assert [issue.place for issue in columns.rejected.listed] == ["data[0][0]"]
