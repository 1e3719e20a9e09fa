"""Any bytes on any topic: readings or a reason, never an error of ours; what well-formed payloads say is kept whole."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.decoding.columns import Few
from wattstead.ingest.decoding.merging import by_part, merged
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.mqtt.decode import Reader, decode
from wattstead.ingest.mqtt.rate import DeviceRates
from wattstead.ingest.mqtt.settings import MqttSettings, TopicMapping
from wattstead.ingest.mqtt.topics import TopicPattern
from wattstead.ingest.sources.source_protocol import Message, Unreadable

pytestmark = pytest.mark.unit
SETTINGS = MqttSettings(
    host="localhost",
    mappings=(
        TopicMapping(topic="map/{a}/{rest...}", value="a[*].b", time="a[*].t", address="{a}/{*}"),
        TopicMapping(topic="all/#", value="*"),
        TopicMapping(topic="one/+"),
    ),
)
TOPICS = (
    "emon/n", "emon/n/x", "emon/n/x/y", "tele/d/SENSOR", "tele/d/STATE", "shellies/s/relay/0", "shellies/s/info",
    "s/status/em:0", "s/events/rpc", "homeassistant/sensor/x/state", "zigbee2mqtt/d", "zigbee2mqtt/a/b",
    "map/x/y", "all/x", "one/x", "spBv1.0/g/NDATA/n",
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["a", "b", "t", "Time", "time", "ts", "method", "params", "em:0", "last_seen", "x y", ""]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def checked(raw: bytes, topic: str) -> None:
    """Read, and see that what comes is what columns must be."""
    try:
        found = decode(Message(raw, topic, 1), SETTINGS)
    except Unreadable as fault:
        assert str(fault)
        return
    columns = found.columns() if isinstance(found, Few) else found
    assert len(columns.names) == len(columns.time_us) == len(columns.value)
    assert all(map(math.isfinite, columns.value.tolist()))
    assert columns.units is None or len(columns.units) == len(columns)


@given(st.sampled_from(TOPICS), st.binary(max_size=120))
def test_any_bytes(topic: str, raw: bytes) -> None:
    checked(raw, topic)


@given(st.sampled_from(TOPICS), json_values)
def test_any_json(topic: str, value: object) -> None:
    checked(json.dumps(value).encode(), topic)


@given(st.dictionaries(st.text("abcXYZ019_", min_size=1, max_size=6), st.floats(-1e12, 1e12), min_size=1, max_size=200))
def test_every_number_of_a_node_is_kept(values: dict[str, float]) -> None:
    values.pop("time", None)
    found = decode(Message(json.dumps({**values, "time": 5}).encode(), "emon/n", 1), SETTINGS)
    columns = found.columns() if isinstance(found, Few) else found
    addresses = [columns.names.address(row) for row in range(len(columns))]
    assert dict(zip(addresses, columns.value.tolist(), strict=True)) == {f"emon/n/{k}": v for k, v in values.items()}
    assert set(columns.time_us.tolist()) <= {5_000_000}


levels = st.lists(st.sampled_from(["a", "b", "", "ä b"]), min_size=1, max_size=4)


@given(levels, st.lists(st.sampled_from(["a", "b", "+"]), min_size=1, max_size=4), st.booleans())
def test_filters_match_as_in_mqtt(topic: list[str], wanted: list[str], rest: bool) -> None:
    length = len(topic) >= len(wanted) if rest else len(topic) == len(wanted)
    expected = length and all(w in ("+", t) for w, t in zip(wanted, topic, strict=False))
    pattern = TopicPattern("/".join([*wanted, "#"] if rest else wanted))
    assert (pattern.match("/".join(topic)) is not None) is expected


@pytest.mark.parametrize(
    "row", [{"topic": "a/#/b"}, {"topic": "a+"}, {"topic": "{x}/{x}"}, {"topic": "a", "address": "{y}"},
            {"topic": "a", "value": "b["}, {"topic": "a", "unit": "parsec"}, {"topic": "{x...}/a"}],
)  # fmt: skip
def test_faults_of_mappings_are_named(row: dict[str, str]) -> None:
    with pytest.raises(ParameterInvalid):
        Reader(MqttSettings(host="localhost", mappings=(TopicMapping(**row),)))  # type: ignore[arg-type]


def test_a_star_meets_no_times() -> None:
    settings = MqttSettings(host="h", formats=(), mappings=(TopicMapping(topic="#", value="*"),))
    found = decode(Message(b'{"a": 1, "TimeStamp": 1700000000, "last_seen": 1700000000000}', "x", 5), settings)
    assert isinstance(found, Few) and (list(found.names.addresses), found.time_us) == (["x/a"], 5)
    named = MqttSettings(host="h", formats=(), mappings=(TopicMapping(topic="#", value="ts"),))
    wanted = decode(Message(b'{"ts": 1700000000}', "x", 5), named)
    assert isinstance(wanted, Few) and wanted.values == [1_700_000_000.0], "who names it wants it"


def test_many_messages_become_one_batch_and_faults_go_back() -> None:
    parts = [decode(Message(raw, "emon/n", 1), SETTINGS) for raw in (b'{"a":1}', b'{"a":2,"b":3,"time":4}', b"7")]
    whole = merged(parts)
    assert [whole.names.address(row) for row in range(4)] == ["emon/n/a", "emon/n/a", "emon/n/b", "emon/n/1"]
    assert whole.value.tolist() == [1, 2, 3, 7] and whole.time_us.tolist() == [1, 4_000_000, 4_000_000, 1]
    assert not isinstance(whole.untimed, bool) and whole.untimed.tolist() == [True, False, False, True]
    whole.rejected.add(whole.place(2), "no")
    assert {part: [(i.place, i.reason) for i in issues] for part, issues in by_part(whole.rejected).items()} == {
        1: [("emon/n/b", "no")]
    }


def test_a_flood_is_held_to_its_rate_and_nobody_else() -> None:
    rates = DeviceRates(100.0, backlog=False)
    taken = sum(rates.admit("loud", 1, at / 5_000) for at in range(15_000))
    assert 1_000 <= taken <= 1_000 + 3 * 100 + 1
    assert all(rates.admit("quiet", 1, at / 10) for at in range(30))
    back = DeviceRates(100.0, backlog=True)
    assert sum(back.admit("away", 1, 0.0) for _ in range(30_000)) == 20_000, "what the broker kept meanwhile is taken"
    assert TopicPattern("a/{b}").match("a/c") == {"b": "c"}
