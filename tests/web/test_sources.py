"""Sources by the API: made, looked at, changed and removed by who may; no secret comes back by any way."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import msgspec
import pytest

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.sources import table
from wattstead.ingest.sources.p1.telegram import crc16
from wattstead.ingest.sources.source_protocol import WHERE, Found, Message, Secret, SourceFailed, SourceProtocol, Way

if TYPE_CHECKING:
    from tests.web.conftest import Office

SECRET = "hunter2-und-Ärger"


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A broker that refuses everybody, loudly."""

    host: Annotated[str, msgspec.Meta(title="Host", description="Where.", extra_json_schema=WHERE)]
    topic: Annotated[str, msgspec.Meta(title="Topic", description="What.")] = "#"
    password: Annotated[Secret, msgspec.Meta(min_length=3, title="Password", description="A secret.")] = "none"


async def _run(settings: Any, way: Way) -> None:
    way.refuse(Message(b"\x00\xff", "topic", way.present_us()), "bytes that are no text")
    way.refuse(Message(b"a < b", "topic", way.present_us()), "no number")
    raise SourceFailed(f"mqtt://me:{settings.password}@{settings.host} refuses us")


async def _look(settings: Any, wanted: Any) -> list[Found]:
    if settings.host == "refuses":
        raise SourceFailed(f"mqtt://me:{settings.password}@{settings.host} refuses us")
    return [Found(where=settings.topic, name=str(len(settings.password)), settings={"topic": "x"})]


def _decode(message: Message, settings: Any) -> Columns:
    raise NotImplementedError


BROKER = SourceProtocol("broker", "docs/sources.md", "Broker", BrokerSettings, _decode, _run, _look)


@pytest.fixture(scope="module")
def office(open_office: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A server that knows one protocol more."""
    with pytest.MonkeyPatch.context() as patch, open_office(tmp_path_factory.mktemp("office")) as found:
        wider = (*table.SOURCES, BROKER)
        for place in ("connections.SOURCES", "looking.SOURCES"):
            patch.setattr(f"wattstead.web.api.sources.{place}", wider)
        for place in ("connections.named", "looking.named"):
            patch.setattr(f"wattstead.web.api.sources.{place}", lambda name: table.named(name, wider))
        found.sources.table = wider
        yield found


@pytest.fixture
def boss(office: Office) -> Iterator[httpx.Client]:
    with office.signed_in() as client:
        yield client


class Meter:
    """A gateway on a port of this machine that says a telegram to whoever comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.said = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.sendall(self.said)
            threading.Thread(target=connection.recv, args=(1,), daemon=True).start()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def meter() -> Iterator[Meter]:
    made = Meter()
    now = datetime.fromtimestamp(datetime.now(UTC).timestamp() + 3600, UTC)
    text = f"/TST5\\M\r\n\r\n0-0:1.0.0({now:%y%m%d%H%M%S}W)\r\n1-0:1.8.1(000001.000*kWh)\r\n!"
    made.said = f"{text}{crc16(text.encode()):04X}\r\n".encode()
    yield made
    made.close()


def until(found: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while not (value := found()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return value


def made(client: httpx.Client, site: int, **told: Any) -> dict[str, Any]:
    body = {"site_id": site, "name": "Meter", "protocol": "p1", "settings": {"host": "127.0.0.1"}, "enabled": False}
    answer = client.post("/sources", json=body | told)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_settings_that_cannot_work_are_refused_when_saved(office: Office, boss: httpx.Client) -> None:
    """What looking around found of a device without a template is not enough to run it."""
    bus = {"host": "127.0.0.1", "port": 1502}
    two = [{"unit_id": 3, "template": "eastron-sdm630"}] * 2
    for settings, place, code in (
        ({**bus, "devices": [{"unit_id": 3}]}, "devices[0].template", "setting.missing"),
        (bus, "devices", "setting.missing"),
        ({"devices": [{"unit_id": 3, "template": "eastron-sdm630"}]}, "host", "setting.missing"),
        ({**bus, "devices": two}, "devices[1].unit_id", "setting.wrong"),
    ):
        body = {"site_id": office.site, "name": "Bus", "protocol": "modbus", "settings": settings}
        refused = boss.post("/sources", json=body)
        said = refused.json()
        assert (refused.status_code, said["code"]) == (400, code), refused.text
        assert [one["place"] for one in said["places"]] == [place] and said["detail"].startswith(place)
    source = made(boss, office.site, protocol="modbus", settings={**bus, "devices": two[:1]})
    change = {"settings": {**bus, "devices": [{"unit_id": 3}]}}
    refused = boss.patch(f"/sources/{source['id']}", json=change, headers={"If-Match": f'"{source["version"]}"'})
    assert refused.status_code == 400 and refused.json()["figures"] == {"setting": "modbus.devices.template"}
    for protocol, settings, place in (
        ("mqtt", {"host": "h", "mappings": [{"topic": "a/#/b"}]}, "topic"),
        ("mqtt", {"host": "h", "formats": []}, "formats"),
        ("opcua", {"url": "opc.tcp://h:4840"}, "nodes"),
        ("mbus", {"port": "tcp://h:1"}, "meters"),
    ):
        body = {"site_id": office.site, "name": "Other", "protocol": protocol, "settings": settings}
        refused = boss.post("/sources", json=body)
        assert refused.status_code == 400 and refused.json()["places"][0]["place"] == place, refused.text
    for protocol, settings, place in (
        ("modbus", {"link": "serial"}, "serial"),
        ("modbus", {"link": "tcp"}, "host"),
        ("pulses", {"port": ""}, "port"),
    ):
        look = {"site_id": office.site, "protocol": protocol, "settings": settings}
        refused = boss.post("/sources/look", json=look)
        said = refused.json()
        assert (refused.status_code, said["code"]) == (400, "setting.missing"), refused.text
        assert said["figures"] == {"setting": f"{protocol}.{place}"}


def test_two_sources_do_not_read_a_stream_by_one_consumer(office: Office, boss: httpx.Client) -> None:
    """Each would be given, and acknowledge, what only the other reads."""
    stream = {"host": "127.0.0.1", "stream": "METERS", "durable": "house"}
    first = made(boss, office.site, protocol="nats", name="First", settings=stream)
    body = {"site_id": office.site, "name": "Second", "protocol": "nats", "settings": stream, "enabled": False}
    refused = boss.post("/sources", json=body)
    said = refused.json()
    assert (refused.status_code, said["code"], said["places"][0]["place"]) == (400, "setting.wrong", "durable")
    assert f"source 'First' ({first['id']}) reads stream METERS of 127.0.0.1:4222" in said["detail"]
    taken = {**stream, "durable": "", "port": 4222}
    second = made(boss, office.site, protocol="nats", settings=taken)
    third = made(boss, office.site, protocol="nats", settings=taken)
    for settings, status in (
        (stream, 400),
        ({**stream, "durable": f"wattstead-{third['id']}"}, 400),
        ({**stream, "stream": "OTHER"}, 200),
        ({**stream, "host": "elsewhere"}, 200),
        ({"host": "127.0.0.1", "durable": "house"}, 200),
    ):
        version = boss.get(f"/sources/{second['id']}").headers["etag"]
        answer = boss.patch(f"/sources/{second['id']}", json={"settings": settings}, headers={"If-Match": version})
        assert answer.status_code == status, answer.text
    own = boss.patch(
        f"/sources/{first['id']}", json={"settings": stream}, headers={"If-Match": f'"{first["version"]}"'}
    )
    assert own.status_code == 200, "it is its own"
    for one in (first, second, third):
        version = boss.get(f"/sources/{one['id']}").headers["etag"]
        assert boss.delete(f"/sources/{one['id']}", headers={"If-Match": version}).status_code == 204


def test_from_the_form_to_the_readings(office: Office, boss: httpx.Client, meter: Meter) -> None:
    known = {one["name"]: one for one in boss.get("/sources/protocols").json()}
    p1, broker = known["p1"], known["broker"]
    assert (p1["name"], p1["looks"], p1["secrets"], broker["secrets"]) == ("p1", True, [], ["password"])
    assert broker["settings"]["$defs"]["BrokerSettings"]["properties"]["password"]["secret"] is True
    settings = {"host": "127.0.0.1", "port": meter.port}
    looked = boss.post("/sources/look", json={"site_id": office.site, "protocol": "p1", "settings": settings}).json()
    assert looked["fault"] == "" and {row["where"] for row in looked["found"]} >= {"1-0:1.8.1"}
    source = made(boss, office.site, settings=settings, enabled=True)
    assert source["site"] == "Mill" and source["sight"]["state"] in ("connecting", "connected")

    def kept() -> Any:
        found = boss.get(f"/sources/{source['id']}").json()
        return found if found["sight"]["readings"] else None

    found = until(kept)
    assert (found["sight"]["state"], found["new_points"]) == ("connected", 1)
    assert found["sight"]["connected_to"] == f"127.0.0.1:{meter.port}" and found["sight"]["last_message"]
    assert source["id"] in [row["id"] for row in boss.get("/sources", params={"site": office.site}).json()]


def test_changes_name_the_version_they_were_made_to(office: Office, boss: httpx.Client) -> None:
    source = made(boss, office.site)
    path = f"/sources/{source['id']}"
    tag = boss.get(path).headers["ETag"]
    assert boss.patch(path, json={"name": "Roof"}).status_code == 428
    changed = boss.patch(path, json={"name": "Roof", "rate": 5, "past_days": 0}, headers={"If-Match": tag})
    assert changed.status_code == 200 and changed.headers["ETag"] == '"2"'
    assert (changed.json()["name"], changed.json()["rate"], changed.json()["past_days"]) == ("Roof", 5.0, 0.0)
    assert changed.json()["settings"] == {"host": "127.0.0.1"}
    assert boss.patch(path, json={"name": "Attic"}, headers={"If-Match": tag}).status_code == 412
    assert boss.delete(path, headers={"If-Match": tag}).status_code == 412
    assert boss.delete(path, headers={"If-Match": '"2"'}).status_code == 204
    assert boss.get(path).status_code == 404


def test_an_own_template_is_written_out_for_who_sees_it(office: Office, boss: httpx.Client) -> None:
    text = """\
name: own-pump
revision: 1
title: Own pump
speaks: modbus
points:
  - {name: Power, address: power, quantity: electricity, unit: W,
     register: {table: holding, at: 100, form: int32, factor: 0.1}}
  - {name: Mode, address: mode, kind: state}
"""
    kept = boss.post("/templates", json={"organization_id": office.root, "text": text})
    assert kept.status_code == 201, kept.text
    register = {"name": "power", "unit": "W", "table": "holding", "at": 100, "form": "int32", "factor": 0.1}
    devices = [{"unit_id": 3, "template": "own-pump"}, {"unit_id": 4, "template": "abb-b23"}]
    settings = {"link": "tcp", "host": "127.0.0.1", "port": 9, "devices": devices}
    source = made(boss, office.site, protocol="modbus", settings=settings)
    own, shipped = source["settings"]["devices"]
    assert (own["unit_id"], own["prefix"], own["registers"]) == (3, "own-pump/", [register])
    assert "template" not in own and shipped == devices[1], "a shipped one is followed"
    patch = {"settings": settings | {"devices": [{"unit_id": 5, "prefix": "p/", "template": "own-pump"}]}}
    changed = boss.patch(f"/sources/{source['id']}", json=patch, headers={"If-Match": f'"{source["version"]}"'})
    assert changed.json()["settings"]["devices"] == [{"unit_id": 5, "prefix": "p/", "registers": [register]}]
    boss.delete(f"/templates/{kept.json()['id']}")
    body = {"site_id": office.site, "name": "Pump", "protocol": "modbus", "settings": settings}
    gone = boss.post("/sources", json=body)
    assert gone.status_code == 400 and gone.json()["places"][0]["place"] == "devices[0].template", "none sees it now"


@pytest.mark.parametrize(
    ("told", "place", "code"),
    [
        ({"settings": {}}, "host", "setting.missing"),
        ({"settings": {"host": ""}}, "host", "setting.missing"),
        ({"settings": {"host": "h", "port": 0}}, "port", "setting.least"),
        ({"settings": {"host": "h", "prot": 1}}, "prot", "setting.unknown"),
        ({"settings": {"host": 5}}, "host", "setting.kind"),
        ({"protocol": "telepathy"}, "protocol", ""),
        ({"protocol": "broker", "settings": {"host": "h", "password": 5}}, "password", "setting.kind"),
        ({"past_days": -1}, "", ""),
        ({"name": ""}, "", ""),
    ],
)
def test_what_is_wrong_is_named(
    office: Office, boss: httpx.Client, told: dict[str, Any], place: str, code: str
) -> None:
    body = {"site_id": office.site, "name": "Meter", "protocol": "p1", "settings": {"host": "h"}}
    answer = boss.post("/sources", json=body | told)
    assert answer.status_code == 400, answer.text
    if place:
        assert [issue["place"] for issue in answer.json()["places"]] == [place]
    if code:
        protocol = told.get("protocol", "p1")
        assert (answer.json()["code"], answer.json()["figures"]["setting"]) == (code, f"{protocol}.{place}")


def test_no_secret_comes_back_by_any_way(office: Office, boss: httpx.Client, capfd: pytest.CaptureFixture[str]) -> None:
    """Answers, errors, letters, looks, the trail, the status and the log are searched."""
    settings = {"host": "refuses", "topic": "a", "password": SECRET}
    told = {"protocol": "broker", "settings": settings, "enabled": True}
    answers = [
        boss.post("/sources", json={"site_id": office.site, "name": "Broker"} | told, headers={"Idempotency-Key": "a"})
    ]
    source = answers[0].json()
    path = f"/sources/{source['id']}"
    until(lambda: boss.get(path).json()["sight"]["failures"])
    answers.append(
        boss.post("/sources", json={"site_id": office.site, "name": "Broker"} | told, headers={"Idempotency-Key": "a"})
    )
    answers += [boss.get("/sources"), boss.get(path), boss.get(f"{path}/letters"), boss.get("/trail")]
    answers.append(
        boss.post("/sources/look", json={"site_id": office.site, "protocol": "broker", "settings": settings})
    )
    unchanged = {"host": "refuses", "topic": "b", "password": ""}
    answers.append(boss.patch(path, json={"settings": unchanged}, headers={"If-Match": boss.get(path).headers["ETag"]}))
    assert answers[-1].json()["secrets"] == ["password"] and answers[-1].json()["settings"]["topic"] == "b"
    look = {"site_id": office.site, "protocol": "broker", "settings": unchanged, "source_id": source["id"]}
    answers.append(boss.post("/sources/look", json=look))
    assert "mqtt://me:•••@refuses" in answers[-1].json()["fault"]
    short = {"host": "refuses", "password": SECRET[:2]}
    answers.append(
        boss.post("/sources", json={"site_id": office.site, "name": "x", "protocol": "broker", "settings": short})
    )
    assert answers[-1].status_code == 400
    answers.append(
        boss.post(
            "/sources",
            json={"site_id": office.site, "name": "x", "protocol": "broker", "settings": settings | {"more": SECRET}},
        )
    )
    assert answers[-1].status_code == 400
    answers.append(boss.get("/status"))
    written = capfd.readouterr()
    everything = "\n".join([answer.text for answer in answers] + [written.out, written.err])
    assert SECRET not in everything and SECRET.encode().hex() not in everything
    assert SECRET.encode("unicode_escape").decode() not in everything
    assert SECRET.encode() not in (office.folder / "registry.db").read_bytes()
    assert SECRET.encode() not in (office.folder / "letters.db").read_bytes()


def test_secrets_are_asked_for_again_when_they_would_go_elsewhere(office: Office, boss: httpx.Client) -> None:
    source = made(boss, office.site, protocol="broker", settings={"host": "mine", "password": SECRET})
    path, match = f"/sources/{source['id']}", {"If-Match": '"1"'}
    elsewhere = {"host": "attacker.example", "topic": "a"}
    refused = boss.patch(path, json={"settings": elsewhere}, headers=match)
    assert refused.status_code == 400 and refused.json()["code"] == "source.secrets"
    assert [issue["place"] for issue in refused.json()["places"]] == ["password"]
    look = {"site_id": office.site, "protocol": "broker", "settings": elsewhere, "source_id": source["id"]}
    found = boss.post("/sources/look", json=look).json()["found"]
    assert found[0]["name"] == str(len("none")), "the look had not the secret"
    here = boss.post("/sources/look", json=look | {"settings": {"host": "mine"}}).json()["found"]
    assert here[0]["name"] == str(len(SECRET))
    assert boss.patch(path, json={"settings": elsewhere | {"password": None}}, headers=match).json()["secrets"] == []


def test_letters_are_shown_replayed_and_thrown_away(office: Office, boss: httpx.Client) -> None:
    source = made(boss, office.site, protocol="broker", settings={"host": "h"}, enabled=True)
    path = f"/sources/{source['id']}/letters"
    until(lambda: boss.get(path).json()["total"] >= 2)
    state = boss.get(f"/sources/{source['id']}")
    boss.patch(f"/sources/{source['id']}", json={"enabled": False}, headers={"If-Match": state.headers["ETag"]})
    until(lambda: boss.get(f"/sources/{source['id']}").json()["sight"]["state"] == "off")
    page = boss.get(path, params={"limit": 1}).json()
    text, binary = page["rows"][0], boss.get(path, params={"limit": 1, "cursor": page["cursor"]}).json()["rows"][0]
    assert (text["text"], text["hex"], text["reason"]) == ("a < b", None, "no number")
    assert (binary["text"], binary["hex"], binary["where"]) == (None, "00 ff", "topic")
    assert boss.get(f"{path}/{text['id']}").json()["text"] == "a < b"
    again = boss.post(f"{path}/replay", json={"ids": [text["id"]]}).json()
    assert again == {"gone": 0, "left": 1, "readings": 0}
    assert boss.get(f"{path}/{text['id']}").json()["tries"] == 1
    assert boss.delete(f"{path}/{text['id']}").status_code == 204
    assert boss.get(f"{path}/{text['id']}").status_code == 404 == boss.delete(f"{path}/{text['id']}").status_code
    assert boss.delete(path).status_code == 204 and boss.get(path).json()["total"] == 0
