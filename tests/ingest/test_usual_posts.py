"""Single posts of senders that are known: read the short way to the same readings as the long one, or not at all."""

from __future__ import annotations

import json
import urllib.parse

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wattstead.ingest.decoding.parameters import parameters
from wattstead.ingest.emoncms import post
from wattstead.ingest.emoncms.usual import UsualPosts
from wattstead.ingest.emoncms.values import NameMemory
from wattstead.ingest.influx.decode import LineDecoder

pytestmark = pytest.mark.unit

NAMES = st.sampled_from(["power1", "a", "time", "json=", "ä b", "1", "", "x&y", "fulljson"])
NUMBERS = st.one_of(st.integers(-(10**18), 10**18), st.floats(allow_nan=False, allow_infinity=False))
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


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wattstead.ingest.emoncms.usual._MOST", 3)
    usual = UsualPosts(NameMemory())
    for node in range(5):
        usual.learn(b"node=%d&json=a:1" % node)
    assert [usual.sender(b"node=%d&json=a:1" % node) is not None for node in range(5)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    usual.learn(b"node=" + b"x" * 500 + b"&json=a:1")
    assert usual.sender(b"node=" + b"x" * 500 + b"&json=a:1") is None
    known = usual.sender(b"node=4&json=a:1")
    assert known is not None
    for names in (("a",), ("b",), ("c",), ("d",), ("e",), ("f" * 500,)):
        assert usual.names(known[0], names) is not None
    assert list(known[0].names) == [("e",)]
