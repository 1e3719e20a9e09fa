"""Linky meters: frames of both modes as published, damaged ones, and a port that carries them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable
from wattstead.ingest.tic.source import TicSettings, decode, look, run

PAYLOADS = Path(__file__).parent.parent.parent / "payloads" / "tic"
NOW_US = 1_700_000_000_000_000


def frame(mode: str) -> bytes:
    return (PAYLOADS / f"{mode}.bin").read_bytes()


def message(mode: str) -> Message:
    return Message(frame(mode).strip(b"\x02\x03"), "tty", NOW_US)


@pytest.mark.unit
def test_historique() -> None:
    found = decode(message("historique"), TicSettings(port="tty"))
    assert not found.rejected and found.skipped == 4
    rows = zip(found.names.addresses, found.value.tolist(), found.units or [], strict=True)
    assert list(rows) == [
        ("linky-historique/ISOUSC", 30, "A"), ("linky-historique/HCHC", 14_460_852, "Wh"),
        ("linky-historique/HCHP", 12_506_372, "Wh"), ("linky-historique/IINST", 2, "A"),
        ("linky-historique/IMAX", 35, "A"), ("linky-historique/PAPP", 520, "VA"), ("linky-historique/MOTDETAT", 0, ""),
    ]  # fmt: skip
    assert set(found.time_us.tolist()) == {NOW_US}


@pytest.mark.unit
def test_standard_with_its_own_dates() -> None:
    found = decode(message("standard"), TicSettings(port="tty", mode="standard"))
    assert not found.rejected
    rows = {a: (v, t) for a, v, t in zip(found.names.addresses, found.value, found.time_us, strict=True)}
    assert rows["linky-standard/EAST"] == (6_231_973, NOW_US)
    assert rows["linky-standard/SINSTS"] == (1_163, NOW_US)
    assert rows["linky-standard/STGE"] == (0x003A0001, NOW_US)
    assert rows["linky-standard/SMAXSN"] == (6_100, 1_587_900_149_000_000)  # 13:22:29 of French summer
    assert "linky-standard/PRM" not in rows and "linky-standard/DATE" not in rows


@pytest.mark.unit
@pytest.mark.parametrize(("said", "set_to"), [("historique", "standard"), ("standard", "historique")])
def test_a_meter_in_the_other_mode_is_noticed(said: str, set_to: Any) -> None:
    with pytest.raises(Unreadable, match=f"speaks in mode {said}, and the mode of this source is {set_to}"):
        decode(message(said), TicSettings(port="tcp://h:1", mode=set_to))


@pytest.mark.unit
@pytest.mark.parametrize("mode", ["historique", "standard"])
def test_addresses_are_those_of_the_templates(mode: str) -> None:
    found = decode(message(mode), TicSettings(port="tty", mode=mode))  # type: ignore[arg-type]
    folder = Path(__file__).parents[3] / "src/wattstead/registry/templates/shipped"
    template = (folder / f"linky-{mode}.yaml").read_text()
    sent = {address.removeprefix(f"linky-{mode}/") for address in found.names.addresses}
    assert {label for label in sent if f"address: {label}," in template} >= {"PAPP", "HCHC", "IINST"} & sent


@pytest.mark.unit
def test_what_is_damaged_is_named_and_spoils_nothing_else() -> None:
    raw = message("standard").raw.replace(b"006231973", b"006231974").replace(b"E200426180000", b"e200426180000")
    found = decode(Message(raw, "tty", NOW_US), TicSettings(port="tty", mode="standard"))
    reasons = {issue.place: issue.reason for issue in found.rejected.listed}
    assert "checksum" in reasons["EAST"] and len(reasons) == 2
    assert "linky-standard/URMS1" in found.names.addresses
    for garbage in (b"", b"\xff\xfe\xfd", b"\nHELLO\r", b"\nIINST 002 X\r"):
        with pytest.raises(Unreadable, match="no group"):
            decode(Message(garbage, "tty", NOW_US), TicSettings(port="tty"))


@pytest.mark.unit
def test_a_clock_that_is_not_set() -> None:
    line = "CCASN\te200426180000\t02120\t"
    checksum = chr((sum(line.encode()) & 0x3F) + 0x20)
    raw = f"\n{line}{checksum}\r\nURMS1\t235\tD\r".encode()
    found = decode(Message(raw, "tty", NOW_US), TicSettings(port="tty", mode="standard"))
    assert "not set" in found.rejected.listed[0].reason and found.names.addresses == ["linky-standard/URMS1"]


async def test_listening_before_saving(port: Any) -> None:
    whole = frame("historique")
    for _ in range(2):  # a pseudo-terminal is opened again, as by the source after the look
        listening = asyncio.create_task(look(TicSettings(port=str(port.link)), {"seconds": 0.5}))
        while not listening.done():  # what comes before the port is open is lost
            port.say(whole[40:] + whole + b"\x02\nPAPP 00")
            await asyncio.sleep(0.05)
        found = {row.where: (row.value, row.unit) for row in await listening}
        assert found["linky-historique/PAPP"] == ("520", "VA") and found["linky-historique/HCHC"] == ("14460852", "Wh")


async def test_a_port(port: Any, way: Any, running: Any) -> None:
    task = running(run, TicSettings(port=str(port.link), every_s=0), way)
    whole = frame("historique")
    while not way.readings:  # what comes before the port is open is lost
        port.say(whole[40:])
        port.say(whole)
        await asyncio.sleep(0.02)
    port.say(b"\x02\nGARBAGE\r\x03")
    await way.until(lambda: way.refused)
    port.say(b"\x02" + b"x" * 3_000)
    port.say(b"x" * 3_000)
    port.say(b"x" * 3_000)
    await way.until(lambda: len(way.refused) == 2)
    port.unplug()
    with pytest.raises(SourceFailed):
        await task
    port.plug()
    assert ("linky-historique/PAPP", way.now_us, 520.0) in way.readings


async def test_no_more_often_than_wanted(port: Any, way: Any, running: Any) -> None:
    task = running(run, TicSettings(port=str(port.link), every_s=10), way)
    while len(way.readings) < 7:
        port.say(frame("historique") * 3)
        await asyncio.sleep(0.02)
    port.say(frame("historique") * 3)
    await asyncio.sleep(0.1)
    way.now_us += 10_000_000
    port.say(frame("historique"))
    await way.until(lambda: len(way.readings) >= 14)
    task.cancel()
    assert len(way.readings) == 14
