"""Bytes on the wire: as the protocol's documents have them, in pieces, with garbage around and answers to others."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.modbus.frames import Answer, NotModbus, Request, RtuFrames, TcpFrames, crc, meaning
from wattstead.ingest.modbus.plan import Block

pytestmark = pytest.mark.unit

REGISTERS = bytes.fromhex("ae41 5652 4340")
ASKED = Request(0x11, Block("holding", 0x6B, 3), 7)
RTU = bytes.fromhex("11 03 06 ae41 5652 4340 49ad")
TCP = bytes.fromhex("0007 0000 0009 11 03 06 ae41 5652 4340")


def test_the_example_of_the_protocols_document() -> None:
    frames = RtuFrames()
    assert frames.ask(ASKED).hex() == "1103006b00037687"
    assert frames.feed(RTU) == Answer(REGISTERS)


def test_the_example_of_a_meters_document() -> None:
    """Eastron, SDM630-Modbus V2: voltage of the first phase, 230.2 V."""
    frames = RtuFrames()
    assert frames.ask(Request(1, Block("input", 0, 2), 1)).hex(" ") == "01 04 00 00 00 02 71 cb"
    assert frames.feed(bytes.fromhex("01 04 04 43 66 33 34 1b 38")) == Answer(bytes.fromhex("43663334"))


@given(st.lists(st.integers(0, len(RTU)), max_size=4))
def test_a_serial_answer_in_pieces(cuts: list[int]) -> None:
    frames = RtuFrames()
    frames.ask(ASKED)
    assert in_pieces(frames, RTU, cuts) == [Answer(REGISTERS)]


@given(st.lists(st.integers(0, len(TCP)), max_size=4))
def test_an_answer_over_tcp_in_pieces(cuts: list[int]) -> None:
    frames = TcpFrames()
    frames.ask(ASKED)
    assert in_pieces(frames, TCP, cuts) == [Answer(REGISTERS)]


def in_pieces(frames: RtuFrames | TcpFrames, whole: bytes, cuts: list[int]) -> list[Answer]:
    edges = [0, *sorted(cuts), len(whole)]
    fed = [frames.feed(whole[start:end]) for start, end in itertools.pairwise(edges)]
    return [answer for answer in fed if answer is not None]


@given(st.binary(max_size=200))
def test_garbage_before_a_serial_answer_is_passed_over(garbage: bytes) -> None:
    frames = RtuFrames()
    frames.ask(ASKED)
    found = frames.feed(garbage)
    if found is None:  # by a chance of 1 in 65,536 garbage is an answer
        assert frames.feed(RTU) == Answer(REGISTERS)
        assert frames.strays == len(garbage)


@given(st.binary(max_size=600))
def test_garbage_alone_is_no_answer_and_is_not_kept(garbage: bytes) -> None:
    frames = RtuFrames()
    frames.ask(ASKED)
    assert frames.feed(garbage) is None or crc(b"") == b"\xff\xff"
    frames.ask(ASKED)
    assert frames.feed(RTU) == Answer(REGISTERS)


@pytest.mark.parametrize(
    "other",
    [
        "12 03 06 ae41 5652 4340",
        "11 04 06 ae41 5652 4340",
        "11 03 04 ae41 5652",
        "11 83",
    ],
    ids=["another unit", "another function", "fewer registers", "cut off"],
)
def test_a_serial_answer_to_something_else_is_none(other: str) -> None:
    frames = RtuFrames()
    frames.ask(ASKED)
    body = bytes.fromhex(other)
    assert frames.feed(body + crc(body)) is None


def test_a_wrong_checksum_is_no_answer() -> None:
    frames = RtuFrames()
    frames.ask(ASKED)
    assert frames.feed(RTU[:-1] + b"\x00") is None


@pytest.mark.parametrize(
    "other",
    [
        "0006 0000 0009 11 03 06 ae41 5652 4340",
        "0007 0000 0009 12 03 06 ae41 5652 4340",
        "0007 0000 0007 11 03 04 ae41 5652",
        "0007 0000 0009 11 04 06 ae41 5652 4340",
    ],
    ids=["late: another transaction", "another unit", "fewer registers", "another function"],
)
def test_an_answer_over_tcp_to_something_else_is_passed_over_and_the_right_one_found(other: str) -> None:
    frames = TcpFrames()
    frames.ask(ASKED)
    assert frames.feed(bytes.fromhex(other)) is None
    assert frames.strays == 1
    assert frames.feed(TCP) == Answer(REGISTERS)


def test_a_late_answer_and_the_right_one_in_one_piece() -> None:
    frames = TcpFrames()
    frames.ask(ASKED)
    late = bytes.fromhex("0006 0000 0005 11 03 02 0001")
    assert frames.feed(late + TCP + late) == Answer(REGISTERS)
    assert frames.strays == 2


@pytest.mark.parametrize(
    "garbage",
    [b"HTTP/1.1 400 Bad Request\r\n", bytes.fromhex("0007 0000 00ff 11 03 06"), bytes.fromhex("0007 0000 0001 11 03")],
    ids=["a web server", "too long", "too short"],
)
def test_what_is_no_modbus_is_said_to_be_none(garbage: bytes) -> None:
    frames = TcpFrames()
    frames.ask(ASKED)
    with pytest.raises(NotModbus, match="no Modbus TCP"):
        frames.feed(garbage)


def test_exceptions_are_answers() -> None:
    tcp, rtu = TcpFrames(), RtuFrames()
    tcp.ask(ASKED)
    rtu.ask(ASKED)
    assert tcp.feed(bytes.fromhex("0007 0000 0003 11 83 02")) == Answer(b"", 2)
    assert rtu.feed(bytes.fromhex("11 83 02") + crc(bytes.fromhex("11 83 02"))) == Answer(b"", 2)
    assert meaning(2) == "exception 2 (illegal data address)"
    assert meaning(77) == "exception 77 (not of the protocol)"
