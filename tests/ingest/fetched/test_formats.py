"""Weather and prices in the words of those who tell them: times, units, what is left out, what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.ingest.fetched.web_server import Asked, Reply, WebServer
from tests.ingest.recording_way import RecordingWay

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.fetched import entsoe, octopus, openmeteo
from wattstead.ingest.fetched.entsoe import ENTSOE, EntsoeSettings
from wattstead.ingest.fetched.fetching import Fetcher
from wattstead.ingest.fetched.octopus import OCTOPUS, OctopusSettings
from wattstead.ingest.fetched.openmeteo import OPENMETEO, OpenMeteoSettings
from wattstead.ingest.fetched.polling import one_round
from wattstead.ingest.sources.source_protocol import Message, Unreadable
from wattstead.metering.quantity import Quality

PAYLOADS = Path(__file__).parents[2] / "payloads"
BERLIN = OpenMeteoSettings(latitude=52.52, longitude=13.41)
GERMANY = EntsoeSettings(area="10Y1001A1001A82H", token="hush")
LONDON = OctopusSettings(product="AGILE-24-10-01", region="C")
DAY_US = 86_400_000_000


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


def us_of(digits: str) -> int:
    """Of a time as ENTSO-E wants it."""
    return round(datetime.strptime(digits, "%Y%m%d%H%M").replace(tzinfo=UTC).timestamp() * 1e6)


def message(name: str, received: str = "2026-03-29T00:00") -> Message:
    return Message((PAYLOADS / name).read_bytes(), name, us(received))


def told(columns: Columns) -> dict[str, list[tuple[int, float]]]:
    """Time and value by address."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in range(len(columns)):
        pair = (int(columns.time_us[row]), float(columns.value[row]))
        found.setdefault(columns.names.address(row), []).append(pair)
    return found


@pytest.mark.unit
def test_a_forecast_says_nothing_of_the_past() -> None:
    columns = openmeteo.decode(message("openmeteo/forecast_iso.json", "2026-03-29T00:30"), BERLIN)
    found = told(columns)
    assert found["weather/forecast/temperature_2m"] == [
        (us("2026-03-29T01:00"), 3.6), (us("2026-03-29T02:00"), 3.4), (us("2026-03-29T04:00"), 3.8),
    ]  # fmt: skip
    assert columns.quality is not None and set(columns.quality.tolist()) == {Quality.ESTIMATED}
    assert not any("d ahead" in address for address in found), "nothing in it is a day ahead"
    units = dict(zip((columns.names.address(row) for row in range(len(columns))), columns.units or (), strict=True))
    assert units["weather/forecast/wind_speed_10m"] == "km/h" and units["weather/forecast/weather_code"] == ""


@pytest.mark.unit
def test_sums_and_means_of_an_hour_are_labelled_by_its_start() -> None:
    found = told(openmeteo.decode(message("openmeteo/forecast_iso.json", "2026-03-28T00:00"), BERLIN))
    assert found["weather/forecast/precipitation"][1] == (us("2026-03-28T23:00"), 0.3), "ends at 01:00 in Berlin"
    assert found["weather/forecast/cloud_cover"][1] == (us("2026-03-29T00:00"), 98)
    ahead = found["weather/forecast 1 d ahead/cloud_cover"]
    assert ahead[0] == (us("2026-03-29T00:00"), 98), "runs are kept apart by how far ahead they saw"


@pytest.mark.unit
def test_history_in_other_units() -> None:
    past = OpenMeteoSettings(latitude=52.5, longitude=13.4, kind="history", prefix="roof/")
    columns = openmeteo.decode(message("openmeteo/archive_unix.json", "2026-04-10T00:00"), past)
    found = told(columns)
    assert found["roof/history/temperature_2m"] == [(1_774_738_800_000_000, 50.0), (1_774_742_400_000_000, 51.8)]
    assert set(columns.units or ()) == {"°F", "mph", "W/m²", "inch"} and columns.skipped == 4, "what is not there yet"


@pytest.mark.unit
def test_prices_of_two_resolutions_with_positions_left_out() -> None:
    columns = entsoe.decode(message("entsoe/day_ahead.xml"), GERMANY)
    found = told(columns)
    prices = dict(found["price/10Y1001A1001A82H/day-ahead"])
    assert len(prices) == 24 + 100, "a day by the hour, and a day of 25 hours by the quarter"
    assert prices[us("2026-10-23T22:00")] == 55.35 and prices[us("2026-10-24T00:00")] == 44.22
    assert prices[us("2026-10-24T11:00")] == -0.01 and prices[us("2026-10-24T21:00")] == 159.2
    assert prices[us("2026-10-24T23:00")] == 35.34 and prices[us("2026-10-25T22:45")] == 70
    assert columns.skipped == 25, "hourly prices beside those of quarters are passed over"
    assert found["price/10Y1001A1001A82H/day-ahead 2"] == [
        (us("2026-10-24T22:00"), 20), (us("2026-10-24T22:15"), 21), (us("2026-10-24T22:45"), 23),
    ], "of another auction; a hole in curve A01 is one"  # fmt: skip
    assert set(columns.units or ()) == {"EUR/MWh"}
    assert columns.quality is not None and set(columns.quality.tolist()) == {Quality.VALID}


@pytest.mark.unit
def test_acknowledgements() -> None:
    assert len(entsoe.decode(message("entsoe/nothing_yet.xml"), GERMANY)) == 0
    with pytest.raises(Unreadable, match="not a valid EIC"):
        entsoe.decode(message("entsoe/fault.xml"), GERMANY)


@pytest.mark.unit
def test_sums_of_the_hour_before_stand_at_its_start() -> None:
    names = ("evapotranspiration", "snowfall_water_equivalent", "et0_fao_evapotranspiration", "snow_depth")
    columns = ", ".join(f'"{name}": [1]' for name in names)
    raw = f'{{"hourly": {{"time": [7200], {columns}}}}}'.encode()
    found = told(openmeteo.decode(Message(raw, "", 0), BERLIN))
    at_s = {name.rpartition("/")[2]: rows[0][0] // 1_000_000 for name, rows in found.items()}
    assert at_s == {**dict.fromkeys(names, 3600), "snow_depth": 7200}


@pytest.mark.unit
def test_half_hours_with_and_without_tax() -> None:
    found = told(octopus.decode(message("octopus/agile.json"), LONDON))
    address = "price/octopus/AGILE-24-10-01 C/import"
    assert found[f"{address} with VAT"][1] == (us("2026-10-25T01:00"), -1.26), "below nothing"
    assert found[f"{address} without VAT"][0] == (us("2026-10-25T01:30"), 14.6)
    longer = (
        b'{"results": [{"valid_from": "2026-10-25T00:00:00Z", "valid_to": "2026-10-26T00:00:00Z", "value_inc_vat": 9}]}'
    )
    assert len(octopus.decode(Message(longer, "", 0), LONDON)) == 48


@pytest.mark.unit
def test_a_price_until_further_notice_holds_for_all_days_that_were_asked_for() -> None:
    """As Octopus says prices of a fixed tariff: the present one has no end, the one before held for three months."""
    body = (
        b'{"results": [{"valid_from": "2026-06-30T23:00:00Z", "valid_to": null, "value_inc_vat": 30.7},'
        b'{"valid_from": "2026-03-31T23:00:00Z", "valid_to": "2026-06-30T23:00:00Z", "value_inc_vat": 51.4}]}'
    )
    (rows,) = told(octopus.decode(Message(body, "", us("2026-07-01T12:00")), LONDON)).values()
    price = dict(rows)
    half_hours = range(us("2026-06-29T00:00"), us("2026-07-04T00:00"), 1_800_000_000)
    assert sorted(price) == list(half_hours), "from two days back to the end of what is known of the days to come"
    turn = us("2026-06-30T23:00")
    assert all(price[at] == (51.4 if at < turn else 30.7) for at in half_hours)
    later = told(octopus.decode(Message(body, "", us("2026-12-01T12:00")), LONDON))
    assert {value for _, value in next(iter(later.values()))} == {30.7}


@pytest.mark.unit
def test_two_prices_by_how_one_pays_are_two_points() -> None:
    span = '"valid_from": "2026-10-25T00:00:00Z", "valid_to": "2026-10-25T00:30:00Z"'
    prices = [f'{{{span}, "value_inc_vat": {price}, "payment_method": "{method}"}}'
              for price, method in ((26.4, "DIRECT_DEBIT"), (27.8, "NON_DIRECT_DEBIT"))]  # fmt: skip
    found = told(octopus.decode(Message(f'{{"results": [{", ".join(prices)}]}}'.encode(), "", 0), LONDON))
    address = "price/octopus/AGILE-24-10-01 C/import"
    assert {name: [value for _, value in rows] for name, rows in found.items()} == {
        f"{address} with VAT": [26.4], f"{address} not by direct debit with VAT": [27.8],
    }  # fmt: skip


@pytest.mark.unit
@pytest.mark.parametrize("raw", [b"", b"\xff" * 50, b"[1]", b"{}", b"<a/>", b"<html>busy</html>", b"null"])
@pytest.mark.parametrize(
    ("module", "settings"), [(openmeteo, BERLIN), (entsoe, GERMANY), (octopus, LONDON)], ids=["om", "entsoe", "octopus"]
)
def test_rubbish_is_named(module: Any, settings: Any, raw: bytes) -> None:
    with pytest.raises(Unreadable):
        module.decode(Message(raw, "", 0), settings)


@pytest.mark.unit
def test_single_faults_are_named() -> None:
    raw = (PAYLOADS / "entsoe/day_ahead.xml").read_bytes()
    bad = raw.replace(b"<position>5</position>", b"<position>500</position>", 1).replace(b">44.22<", b">n/a<")
    issues = [one.reason for one in entsoe.decode(Message(bad, "", 0), GERMANY).rejected.listed]
    assert issues == ["price at position 2 is 'n/a'; expected a number", "position is '500'; expected 1 to 24"]
    dollars = raw.replace(b">EUR<", b">XAU<")
    assert entsoe.decode(Message(dollars, "", 0), GERMANY).rejected.count == 4
    entity = b'<!DOCTYPE a [<!ENTITY b "c">]><Publication_MarketDocument>&b;</Publication_MarketDocument>'
    with pytest.raises(Unreadable, match="document type"):
        entsoe.decode(Message(entity, "", 0), GERMANY)
    short = b'{"hourly": {"time": [1, 2], "rain": [1]}}'
    assert openmeteo.decode(Message(short, "", 0), BERLIN).rejected.count == 1
    with pytest.raises(Unreadable, match="time"):
        openmeteo.decode(Message(b'{"hourly": {"time": ["noon"], "rain": [1]}}', "", 0), BERLIN)
    with pytest.raises(Unreadable, match="time"):
        openmeteo.decode(Message(b'{"hourly": {"time": [99999999999999999], "rain": [1]}}', "", 0), BERLIN)
    with pytest.raises(Unreadable, match="no such place"):
        openmeteo.decode(Message(b'{"error": true, "reason": "no such place"}', "", 0), BERLIN)
    half = b'{"results": [{"valid_from": "2026-10-25T01:30:00"}, 7, {"value_inc_vat": 1}]}'
    assert octopus.decode(Message(half, "", 0), LONDON).rejected.count == 3


@pytest.mark.unit
def test_a_few_lines_do_not_stand_for_millions_of_prices() -> None:
    month = b'{"valid_from": "2026-01-01T00:00:00Z", "valid_to": "2026-02-01T00:00:00Z", "value_inc_vat": 1}'
    with pytest.raises(Unreadable, match="200,000 prices"):
        octopus.decode(Message(b'{"results": [%b]}' % b",".join([month] * 1_000), "", 0), LONDON)
    raw = (PAYLOADS / "entsoe/day_ahead.xml").read_bytes()
    start, end = raw.index(b"<Period>"), raw.index(b"</Period>") + len(b"</Period>")
    year = raw[start:end].replace(b"2026-10-24T22:00Z", b"2027-10-24T22:00Z")
    with pytest.raises(Unreadable, match="200,000 prices"):
        entsoe.decode(Message(raw[:start] + year * 100 + raw[end:], "", 0), GERMANY)
    within = entsoe.decode(Message(raw[:start] + year * 10 + raw[end:], "", 0), GERMANY)
    assert len(within) == 366 * 24 - 25 + 100 + 3, "each hour once, but for the hours of the day by the quarter"


async def asked_for(row: Any, server: WebServer, **settings: Any) -> tuple[RecordingWay, list[Asked]]:
    """One round of a way against a server."""
    way = RecordingWay()
    plan = row(settings.pop("of")(url=server.url, **settings))
    await one_round(Fetcher(), plan, way, {})
    return way, server.asked


async def test_how_weather_is_asked_for(server: WebServer) -> None:
    server.says((PAYLOADS / "openmeteo/forecast_iso.json").read_bytes())
    _, asked = await asked_for(openmeteo.plan_of, server, of=OpenMeteoSettings, latitude=52.52, longitude=13.41,
                               apikey="hush", days=20)  # fmt: skip
    query = asked[0].query
    assert (query["latitude"], query["timezone"], query["forecast_days"]) == ("52.52", "GMT", "16")
    assert query["hourly"].startswith("temperature_2m,") and query["apikey"] == "hush"


async def test_how_prices_are_asked_for(server: WebServer) -> None:
    server.says((PAYLOADS / "entsoe/fault.xml").read_bytes(), status=400)
    way, asked = await asked_for(entsoe.plan_of, server, of=EntsoeSettings, area="10YFR-RTE------C", token="hush")
    query = asked[0].query
    assert (query["documentType"], query["in_Domain"], query["securityToken"]) == ("A44", "10YFR-RTE------C", "hush")
    assert len(query["periodStart"]) == 12 and query["periodStart"].endswith("2200")
    refused, reason = way.refused[0]
    assert "not a valid EIC" in reason and "hush" not in refused.where + reason


async def test_more_than_a_year_is_asked_for_in_parts(server: WebServer) -> None:
    server.says((PAYLOADS / "entsoe/nothing_yet.xml").read_bytes())
    _, asked = await asked_for(entsoe.plan_of, server, of=EntsoeSettings, area=GERMANY.area, days=365)
    spans = [(us_of(one.query["periodStart"]), us_of(one.query["periodEnd"])) for one in asked]
    assert all(0 < end - start <= 365 * DAY_US for start, end in spans), "the platform refuses more"
    assert spans[1][0] == spans[0][1] and spans[-1][1] - spans[0][0] > 367 * DAY_US


async def test_prices_page_by_page(server: WebServer) -> None:
    first = (PAYLOADS / "octopus/agile.json").read_bytes()

    def answers(asked: Asked) -> Reply:
        if asked.query.get("page") == "2":
            span = b'"valid_from": "2026-10-25T00:00:00Z", "valid_to": "2026-10-25T00:30:00Z"'
            return Reply(b'{"results": [{%b, "value_inc_vat": 5.5}], "next": null}' % span)
        return Reply(first.replace(b"https://api.octopus.energy/v1", server.url.encode()))

    server.answers = answers
    way, asked = await asked_for(octopus.plan_of, server, of=OctopusSettings, product="AGILE-24-10-01", region="C")
    assert asked[0].path.endswith("/electricity-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/")
    assert len(way.kept) == 7 and asked[1].query == {"page": "2"}
    server.says(first)  # whose next page is on another server
    way, _ = await asked_for(octopus.plan_of, server, of=OctopusSettings, product="AGILE-24-10-01", region="C")
    assert len(way.kept) == 6 and "another server" in way.refused[0][1]


async def test_the_same_prices_are_kept_once(server: WebServer) -> None:
    server.says((PAYLOADS / "entsoe/day_ahead.xml").read_bytes())
    plan, way, kept, fetcher = (
        entsoe.plan_of(EntsoeSettings(area=GERMANY.area, url=server.url)),
        RecordingWay(),
        {},
        Fetcher(),
    )
    await one_round(fetcher, plan, way, kept)
    first = len(way.kept)
    server.says((PAYLOADS / "entsoe/day_ahead.xml").read_bytes().replace(b"12:10:00Z", b"12:40:00Z"))
    await one_round(fetcher, plan, way, kept)
    assert len(way.kept) == first, "only the document is a new one"
    server.says((PAYLOADS / "entsoe/day_ahead.xml").read_bytes().replace(b"159.2", b"160"))
    await one_round(fetcher, plan, way, kept)
    assert len(way.kept) == 2 * first


async def test_looking_around(server: WebServer) -> None:
    server.says((PAYLOADS / "octopus/agile.json").read_bytes())
    assert OCTOPUS.look and ENTSOE.look and OPENMETEO.look
    found = await OCTOPUS.look(OctopusSettings(product="AGILE-24-10-01", region="C", url=server.url), {})
    assert next((one.name, one.value, one.unit) for one in found) == ("3 values", "15.33", "p/kWh")
