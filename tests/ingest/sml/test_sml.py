"""SML meters: published captures, damaged ones, streams cut anywhere, and a port that carries them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.sml.language import ESCAPE, LONGEST, START, crc, cut, entries, messages
from wattstead.ingest.sml.source import SmlSettings, decode, look, run
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable

PAYLOADS = Path(__file__).parent.parent.parent / "payloads" / "sml"
NOW_US = 1_700_000_000_000_000
EXPECTED = {
    "emh": {
        "1-0:1.8.0": (8_571_286.2, "Wh"), "1-0:2.8.0": (154.3, "Wh"), "1-0:1.8.1": (8_571_286.2, "Wh"),
        "1-0:2.8.1": (154.3, "Wh"), "1-0:1.8.2": (0, "Wh"), "1-0:2.8.2": (0, "Wh"), "1-0:16.7.0": (536.4, "W"),
    },
    "isk_mt175": {
        "1-0:1.8.0": (22_462_413.6, "Wh"), "1-0:1.8.1": (22_462_413.6, "Wh"), "1-0:1.8.2": (0, "Wh"),
        "1-0:16.7.0": (168, "W"), "1-0:36.7.0": (117, "W"), "1-0:56.7.0": (22, "W"), "1-0:76.7.0": (29, "W"),
    },
    "holley_dtz541": {
        "1-0:1.8.1": (0, "Wh"), "1-0:1.8.2": (177_360.1, "Wh"), "1-0:2.8.0": (314_926, "Wh"),
        "1-0:16.7.0": (460, "W"), "1-0:32.7.0": (232.3, "V"), "1-0:52.7.0": (232.5, "V"), "1-0:72.7.0": (232.5, "V"),
        "1-0:31.7.0": (1.06, "A"), "1-0:51.7.0": (1.74, "A"), "1-0:71.7.0": (0.91, "A"), "1-0:81.7.1": (120, ""),
        "1-0:81.7.2": (240, ""), "1-0:81.7.4": (298, ""), "1-0:81.7.15": (312, ""), "1-0:81.7.26": (288, ""),
        "1-0:14.7.0": (50, "Hz"), "1-0:96.5.0": (1_835_268, ""),
    },
    "isk_mt631": {"1-0:1.8.0": (79_139.3, "Wh"), "1-0:2.8.0": (0, "Wh"), "1-0:16.7.0": (2_144, "W")},
}  # fmt: skip


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.bin").read_bytes()


def sealed(body: bytes) -> bytes:
    """A transmission of a body."""
    fill = -len(body) % 4
    whole = START + body.replace(ESCAPE, ESCAPE * 2) + bytes(fill) + ESCAPE + bytes([0x1A, fill])
    return whole + crc(whole).to_bytes(2, "little")


@pytest.mark.unit
@pytest.mark.parametrize("name", sorted(file.stem for file in PAYLOADS.iterdir()))
def test_payload(name: str) -> None:
    found = decode(Message(payload(name), "tty", NOW_US), SmlSettings(port="tty"))
    rows = zip(found.names.addresses, found.value.tolist(), found.units or [], strict=True)
    told = {address.removeprefix("sml/"): (value, unit) for address, value, unit in rows}
    assert told == EXPECTED[name]
    assert set(found.time_us.tolist()) == {NOW_US}


@pytest.mark.unit
@pytest.mark.parametrize("name", ["isk_mt631", "holley_dtz541"])
def test_every_damaged_byte_is_noticed(name: str) -> None:
    whole = payload(name)
    for at in range(len(whole)):
        with pytest.raises(Unreadable):
            list(messages(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :]))


@pytest.mark.unit
@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    whole = sealed(body)
    assert cut(whole) == ([whole], [], b"")
    try:
        entries(whole)
    except Unreadable as error:
        assert str(error)


@pytest.mark.unit
def test_deep_and_endless_lists_are_refused() -> None:
    for body in (b"\x71" * 60, b"\xff\xff\xff\xff\x0f", b"\x7f", b"\x55\x00", b"\x5a" + bytes(9), b"\x8f"):
        with pytest.raises(Unreadable):
            list(messages(sealed(body)))


@pytest.mark.unit
@given(st.lists(st.integers(1, 60), min_size=1, max_size=80))
def test_a_stream_is_cut_wherever_its_pieces_end(sizes: list[int]) -> None:
    one, escaped = payload("isk_mt631"), sealed(b"\x05" + ESCAPE + b"\x00\x00\x00")
    stream = b"\x00\x01" + one + escaped + b"\xff" + one
    whole: list[bytes] = []
    rubbish: list[bytes] = []
    rest, at = b"", 0
    for size in [*sizes, len(stream)]:
        found, odd, rest = cut(rest + stream[at : at + size])
        at += size
        whole += found
        rubbish += odd
    assert whole == [one, escaped, one] and b"".join(rubbish) == b"\x00\x01\xff" and rest == b""


@pytest.mark.unit
def test_what_never_ends_is_let_go() -> None:
    whole, rubbish, rest = cut(START + b"x" * LONGEST)
    assert not whole and len(rubbish[0]) > LONGEST and rest == b""
    whole, rubbish, rest = cut(b"x" * (LONGEST + 1))
    assert not whole and rubbish and len(rest) < len(START)


async def test_listening_before_saving(port: Any) -> None:
    one, settings = payload("isk_mt175"), SmlSettings(port=str(port.link))
    listening = asyncio.create_task(look(settings, {"seconds": 1.0}))
    while not listening.done():  # what comes before the port is open is lost
        port.say(one[100:] + one)
        await asyncio.sleep(0.05)
    found = {row.where: (row.value, row.unit) for row in await listening}
    assert found["sml/1-0:16.7.0"] == ("168", "W") and found["sml/1-0:1.8.0"] == ("22462413.6", "Wh")


async def test_listening_in_vain_says_why(port: Any) -> None:
    settings = SmlSettings(port=str(port.link))
    with pytest.raises(SourceFailed, match=r"is open, and said nothing within 0\.2 s"):
        await look(settings, {"seconds": 0.2})
    listening = asyncio.create_task(look(settings, {"seconds": 0.5}))
    while not listening.done():
        port.say(b"\xfe\x01")
        await asyncio.sleep(0.02)
    with pytest.raises(SourceFailed, match=r"no whole message .* speed and mode right\? They begin with (fe|01)"):
        await listening
    with pytest.raises(ParameterInvalid, match="at most 25"):
        await look(settings, {"seconds": 90})


async def test_a_port(port: Any, way: Any, running: Any) -> None:
    task = running(run, SmlSettings(port=str(port.link), every_s=0), way)
    one = payload("isk_mt175")
    while not way.readings:  # what comes before the port is open is lost
        port.say(one[100:])
        port.say(one)
        await asyncio.sleep(0.02)
    assert ("sml/1-0:16.7.0", way.now_us, 168.0) in way.readings
    way.refused.clear()
    port.say(one[:50] + b"\x55" + one[51:])
    await way.until(lambda: way.refused)
    assert "checksum" in way.refused[0][1]
    task.cancel()
