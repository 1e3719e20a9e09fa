"""A notification's bytes: as the library writes them, cut short, and as garbage; and what becomes of them."""

from __future__ import annotations

import contextlib
import datetime
import math
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.opcua.binary import Broken, notification
from wattstead.ingest.opcua.decoding import Decoding, decode, handles
from wattstead.ingest.opcua.settings import OpcuaSettings, PickedNode
from wattstead.ingest.sources.source_protocol import Message, Unreadable

pytestmark = pytest.mark.unit
PAYLOADS = Path(__file__).parents[2] / "payloads" / "opcua"
NOW_US = 1_777_636_800_000_000
NOON = datetime.datetime(2026, 5, 1, 12, tzinfo=datetime.UTC)
NODES = (PickedNode(node="i=1", name="one"), PickedNode(node="i=2", name="two", unit="kW", factor=0.001))
SETTINGS = OpcuaSettings(url="opc.tcp://h", nodes=NODES)
HANDLES = {NODES[at].node: handle for handle, at in handles(NODES).items()}

RANGES = {"SByte": 7, "Int16": 15, "Int32": 31, "Int64": 63}
FLOATS = {"allow_nan": False, "allow_infinity": False}
STATUSES = st.sampled_from([0, 0x8000_0000])
NUMBERS = st.one_of(
    st.builds(lambda value: ua.Variant(value, ua.VariantType.Double), st.floats(**FLOATS)),
    st.builds(
        lambda value: ua.Variant(value, ua.VariantType.Float),
        st.floats(width=32, allow_nan=False, allow_infinity=False),
    ),
    st.builds(lambda value: ua.Variant(value, ua.VariantType.Boolean), st.booleans()),
    *(
        st.builds(
            lambda value, kind=kind: ua.Variant(value, ua.VariantType[kind]), st.integers(-(2**bits), 2**bits - 1)
        )
        for kind, bits in RANGES.items()
    ),
    st.builds(lambda value: ua.Variant(value, ua.VariantType.UInt64), st.integers(0, 2**64 - 1)),
)
OTHERS = st.one_of(
    st.builds(
        lambda value: ua.Variant(value, ua.VariantType.String), st.text(st.characters(codec="utf-8"), max_size=20)
    ),
    st.builds(lambda value: ua.Variant(value, ua.VariantType.Double), st.lists(st.floats(0, 1), max_size=5)),
    st.just(ua.Variant(None, ua.VariantType.Null)),
)
TIMES = st.one_of(st.none(), st.datetimes(datetime.datetime(1990, 1, 1), datetime.datetime(2100, 1, 1)))


def coded(items: list[tuple[int, ua.Variant, int, datetime.datetime | None]], sequence: int = 9) -> bytes:
    change = ua.DataChangeNotification()
    for handle, variant, status, at in items:
        time = None if at is None else at.replace(tzinfo=datetime.UTC)
        value = ua.DataValue(variant, StatusCode=ua.StatusCode(status), SourceTimestamp=time)
        change.MonitoredItems.append(ua.MonitoredItemNotification(ClientHandle=handle, Value=value))
    whole = ua.NotificationMessage(SequenceNumber=sequence, PublishTime=NOON, NotificationData=[change])
    return bytes(struct_to_binary(whole))


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.one_of(NUMBERS, OTHERS), st.sampled_from([0, 0x8000_0000]), TIMES))
)
def test_what_the_library_writes_is_read(items: list[tuple[int, ua.Variant, int, datetime.datetime | None]]) -> None:
    said = notification(coded(items))
    assert (said.sequence, said.closed, len(said.items)) == (9, 0, len(items))
    for found, (handle, variant, status, at) in zip(said.items, items, strict=True):
        number = isinstance(variant.Value, bool | int | float)
        assert (found.handle, found.status) == (handle, status)
        assert found.value == (float(variant.Value) if number else None)
        given_us = 0 if at is None else (at - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)
        assert found.time_us == given_us


@given(
    st.lists(st.tuples(st.just(1), st.one_of(NUMBERS, OTHERS), st.just(0), TIMES), min_size=1, max_size=3), st.data()
)
def test_half_a_message_is_broken(
    items: list[tuple[int, ua.Variant, int, datetime.datetime | None]], data: st.DataObject
) -> None:
    raw = coded(items)
    with pytest.raises(Broken):
        notification(raw[: data.draw(st.integers(0, len(raw) - 5))])


@given(st.binary(max_size=300))
def test_garbage_is_broken_or_says_nothing_of_our_nodes(raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert not decode(Message(raw, "notification", NOW_US), SETTINGS).names.addresses


def test_values_become_readings_of_their_nodes() -> None:
    one, two = HANDLES["i=1"], HANDLES["i=2"]
    double = ua.VariantType.Double
    items = [
        (one, ua.Variant(1.5, double), 0, NOON),
        (two, ua.Variant(2_500.0, double), 0, None),
        (one, ua.Variant(2.5, double), 0, NOON + datetime.timedelta(seconds=1)),
        (one, ua.Variant(9.0, double), 0x8000_0000, NOON),
        (two, ua.Variant(math.nan, double), 0, NOON),
        (two, ua.Variant("text", ua.VariantType.String), 0, NOON),
        (12_345, ua.Variant(1.0, double), 0, NOON),
    ]
    columns = decode(Message(coded(items), "notification", NOW_US + 5), SETTINGS)
    found = [
        (columns.names.address(row), int(columns.time_us[row]), float(columns.value[row]))
        for row in range(len(columns))
    ]
    assert found == [
        ("opcua/one", NOW_US, 1.5), ("opcua/two", NOW_US + 5, 2.5), ("opcua/one", NOW_US + 1_000_000, 2.5),
    ]  # fmt: skip
    assert columns.units == ["", "kW", ""] and columns.skipped == 4
    assert columns.place(1) == "i=2"


def test_the_end_of_a_subscription() -> None:
    end = ua.StatusChangeNotification(Status=ua.StatusCode(ua.StatusCodes.BadTimeout))
    raw = bytes(struct_to_binary(ua.NotificationMessage(SequenceNumber=3, NotificationData=[end])))
    assert notification(raw).closed == ua.StatusCodes.BadTimeout


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.hex")), ids=lambda path: path.stem)
def test_answers_of_servers(path: Path) -> None:
    lines = [line.split("#", 1)[0] for line in path.read_text().splitlines()]
    expected = [line.removeprefix("expect").split() for line in lines if line.startswith("expect")]
    raw = bytes.fromhex("".join(line for line in lines if not line.startswith("expect")))
    said = notification(raw)
    assert [(str(one.handle), str(one.value), f"{one.status:08x}", str(one.time_us)) for one in said.items] == [
        tuple(one) for one in expected
    ]


def test_there_are_answers_of_servers() -> None:
    assert list(PAYLOADS.glob("*.hex"))


@given(st.lists(st.text(min_size=3, max_size=9), unique=True, max_size=50), st.randoms())
def test_a_node_has_the_same_handle_wherever_it_stands(names: list[str], random: object) -> None:
    nodes = [PickedNode(node=name) for name in names]
    before = {nodes[at].node: handle for handle, at in handles(nodes).items()}
    random.shuffle(nodes)  # type: ignore[attr-defined]
    assert {nodes[at].node: handle for handle, at in handles(nodes).items()} == before
    assert len(before) == len(names) and 0 not in before.values()


@pytest.mark.parametrize(
    "nodes, reason",
    [
        ((PickedNode(node="i=1", name="a"), PickedNode(node="i=2", name="a")), "not also that of i=1"),
        ((PickedNode(node="i=1", name="a"), PickedNode(node="i=1", name="b")), "each node once"),
        ((PickedNode(node="i=1", unit="bananas"),), "bananas"),
        ((PickedNode(node="i=1", name="a\tb"),), "control character"),
    ],
)
def test_nodes_that_do_not_go_together(nodes: tuple[PickedNode, ...], reason: str) -> None:
    with pytest.raises(ParameterInvalid, match=reason):
        Decoding(OpcuaSettings(url="opc.tcp://h", nodes=nodes))
