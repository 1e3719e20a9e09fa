"""Green Button feeds: what each value means, how far it is trusted; posted, and fetched from a real server."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.ingest.fetched.web_server import web_server
from tests.ingest.recording_way import RecordingWay

from wattstead.cli import green_button
from wattstead.ingest.errors import BodyInvalid
from wattstead.ingest.greenbutton import espi
from wattstead.ingest.greenbutton.source import GREENBUTTON, GreenButtonSettings, decode
from wattstead.ingest.sources.source_protocol import Message, Unreadable
from wattstead.metering.quantity import Quality
from wattstead.metering.suggestion import suggestion

if TYPE_CHECKING:
    from conftest import Door

FEED = (Path(__file__).parents[2] / "payloads" / "greenbutton" / "feed.xml").read_bytes()
S = 1_780_272_000
USED = "5446AF3F/01/electricity import per interval"


def rows(raw: bytes) -> dict[str, list[tuple[int, float, str, int]]]:
    """Seconds after the first, value, unit and quality by address."""
    columns = espi.decode(raw, "")
    assert columns.units is not None and columns.quality is not None
    found: dict[str, list[tuple[int, float, str, int]]] = {}
    for row in range(len(columns)):
        at = int(columns.time_us[row]) // 1_000_000 - S
        one = (at, float(columns.value[row]), columns.units[row], int(columns.quality[row]))
        found.setdefault(columns.names.address(row), []).append(one)
    return found


@pytest.mark.unit
def test_what_the_values_mean() -> None:
    assert rows(FEED) == {
        USED: [
            (0, 302_000, "Wh", Quality.RAW), (900, 299_000, "Wh", Quality.ESTIMATED),
            (1800, 304_000, "Wh", Quality.VALID), (2700, 610_000, "Wh", Quality.SUSPECT),
        ],
        "5446AF3F/02/electricity export total": [(900, 1234.567, "Wh", Quality.RAW)],
        "GAS1/01/gas import per interval": [(0, 0.102, "therm", Quality.RAW), (3600, 0.034, "therm", Quality.RAW)],
    }  # fmt: skip


@pytest.mark.unit
def test_each_of_many_blocks_is_found_its_meter_at_once() -> None:
    """A feed of thousands of meters, where no block looks through all of them."""
    kind = "<content><ReadingType><uom>72</uom><accumulationBehaviour>4</accumulationBehaviour></ReadingType></content>"
    reading = "<IntervalReading><timePeriod><start>1780272000</start></timePeriod><value>1</value></IntervalReading>"
    entries = []
    for number in range(4_000):
        root = f"UsagePoint/{number}"
        meter, own = f"{root}/MeterReading/1", f'<link rel="self" href="/ReadingType/{number}"/>'
        entries += [
            f'<entry><link rel="self" href="{root}"/><content><UsagePoint/></content></entry>',
            f'<entry><link rel="self" href="{meter}"/><link rel="related" href="ReadingType/{number}"/>'
            "<content><MeterReading/></content></entry>",
            f"<entry>{own}{kind}</entry>",
            f'<entry><link rel="self" href="{meter}/IntervalBlock/1"/><content><IntervalBlock>{reading}'
            "</IntervalBlock></content></entry>",
        ]
    begun = time.process_time()
    found = rows(f"<feed>{''.join(entries)}</feed>".encode())
    assert len(found) == 4_000 and "3999/1/electricity per interval" in found
    assert time.process_time() - begun < 10, (
        "of its own processor time: it takes half a second, and 15 where each looks through all"
    )


@pytest.mark.unit
def test_what_its_points_are_proposed_to_be() -> None:
    used, counted = suggestion(USED, "Wh"), suggestion("x/electricity export total", "Wh")
    assert used and counted
    assert (used.kind, used.quantity, used.direction) == ("delta", "electricity", "import")
    assert (counted.kind, counted.direction) == ("register", "export")


@pytest.mark.unit
def test_a_feed_without_links_of_one_meter() -> None:
    entry = '<entry xmlns="http://www.w3.org/2005/Atom"><content>{}</content></entry>'
    told = "<accumulationBehaviour>12</accumulationBehaviour><uom>38</uom>"
    kind = f'<ReadingType xmlns="http://naesb.org/espi">{told}</ReadingType>'
    reading = "<IntervalReading><timePeriod><start>1780272000</start></timePeriod><value>-5</value></IntervalReading>"
    block = f'<IntervalBlock xmlns="http://naesb.org/espi">{reading}</IntervalBlock>'
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom">{entry.format(kind)}{entry.format(block)}</feed>'
    assert rows(feed.encode()) == {"electricity level": [(0, -5, "W", Quality.RAW)]}
    counts = feed.replace(told, "<accumulationBehaviour>3</accumulationBehaviour><intervalLength>900</intervalLength>"
                                "<uom>72</uom>")  # fmt: skip
    assert rows(counts.encode()) == {"electricity total": [(900, -5, "Wh", Quality.RAW)]}, "at the interval's end"
    nobody = f'<feed xmlns="http://www.w3.org/2005/Atom">{entry.format(block)}</feed>'
    columns = espi.decode(nobody.encode(), "")
    assert "no ReadingType" in columns.rejected.listed[0].reason and columns.rejected.count == 1


@pytest.mark.unit
@pytest.mark.parametrize(
    ("was", "becomes", "reason", "count"),
    [
        (b"<uom>72</uom>", b"<uom>9999</uom>", "uom", 5),
        (b"<powerOfTenMultiplier>3<", b"<powerOfTenMultiplier>1000<", "powerOfTenMultiplier", 4),
        (b"Behaviour>4<", b"Behaviour>77<", "accumulationBehaviour", 6),
        (b"<value>302<", b"<value>much<", "integers", 1),
        (b"<value>302<", b"<value>" + b"9" * 400 + b"<", "integers", 1),
        (b"<quality>8<", b"<quality>99<", "quality 99", 1),
        (b"<duration>1800<", b"<duration>-1<", "duration", 1),
        (b"ReadingType/07", b"ReadingType/70", "none of which", 4),
    ],
)
def test_what_is_wrong_is_named(was: bytes, becomes: bytes, reason: str, count: int) -> None:
    assert was in FEED
    once = FEED.replace(was, becomes, 1 if b"ReadingType" in was else -1)
    columns = espi.decode(once, "")
    assert reason in columns.rejected.listed[0].reason and columns.rejected.count == count
    assert len(columns) == 7 - count, "the others are kept"


@pytest.mark.unit
@pytest.mark.parametrize(
    "raw",
    [
        b"", b"<a/>", b"{}", b"<feed/>", b"<!DOCTYPE feed><feed/>", b"<a>" * 500, FEED[:900],
        FEED.replace(b'href="', b'href="http://[x'),
    ],
)  # fmt: skip
def test_what_is_no_feed(raw: bytes) -> None:
    with pytest.raises(BodyInvalid):
        espi.decode(raw, "")
    with pytest.raises(Unreadable):
        decode(Message(raw, "", 0), GreenButtonSettings(url="https://h"))


def test_posted(door: Door) -> None:
    headers = {"Authorization": f"Bearer {door.key}", "Content-Type": "application/atom+xml"}
    feed = FEED.replace(b"1780", b"1680")  # the house of this test lives in 2023
    for _ in range(2):
        answer = door.http.post("/green-button?prefix=utility/", content=feed, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"accepted": 7, "rejected": []})
    addresses = {row.address for row in door.stored()}
    assert f"utility/{USED}" in addresses and len(addresses) == 3
    assert door.http.post("/green-button", content=feed, headers={"Content-Type": "text/xml"}).status_code == 401
    assert door.http.post("/green-button", content=b"<a/>", headers=headers).status_code == 400
    json = headers | {"Content-Type": "application/json"}
    assert door.http.post("/green-button", content=feed, headers=json).status_code == 415


def test_a_file_by_the_command_line(door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "usage.xml"
    file.write_bytes(FEED.replace(b"1780", b"1680").replace(b"<value>302<", b"<value>much<"))
    url = f"http://127.0.0.1:{door.server.port}"
    assert green_button.run(file, tmp_path, url, door.key, "file/") == 2
    said = capsys.readouterr().out
    assert "usage.xml: 7 readings\n  accepted   6\n  rejected   1\n" in said and "expected integers" in said
    assert f"file/{USED}" in {row.address for row in door.stored()}


async def test_fetched() -> None:
    with web_server() as server:
        server.says(FEED, ETag='"7"')
        way = RecordingWay()
        settings = GreenButtonSettings(url=f"{server.url}/espi/1_1/resource/Batch/1", token="hush")
        running = asyncio.create_task(GREENBUTTON.run(settings, way))
        await way.until(lambda way: len(way.kept) == 7)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert server.asked[0].headers["authorization"] == "Bearer hush"
        assert way.kept[0].address == f"greenbutton/{USED}"
        assert GREENBUTTON.look
        assert len(await GREENBUTTON.look(settings, {})) == 3
