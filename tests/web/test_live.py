"""Live streams: latest values first, then what comes; bounded; ended with the session."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from wattstead.registry.records import PointDeclaration


def events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """The data of ``readings`` events; heartbeats are passed over."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            assert name == "readings"
            yield json.loads(line[6:])


def test_latest_values_come_first_and_new_ones_at_once(house: Any, reader: httpx.Client) -> None:
    power, outdoor = house.points["power"], house.points["outdoor"]
    house.publish(power, 100.0)
    house.publish(outdoor, 32.0)
    with reader.stream("GET", f"/api/v1/live?points={outdoor},{power}") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        told = events(answer)
        first = next(told)
        assert dict(zip(first["point"], first["value"], strict=True)) == {power: 100.0, outdoor: 0.0}
        house.publish(house.points["secret"], 1.0)
        time_s = house.publish(power, 250.5)
        assert next(told) == {"time": [time_s * 1000], "point": [power], "value": [250.5]}


def test_an_idle_stream_says_that_it_lives(house: Any, reader: httpx.Client) -> None:
    with reader.stream("GET", f"/api/v1/live?points={house.points['cellar']}") as answer:
        assert any(line == ": alive" for line in answer.iter_lines())


def test_streams_are_bounded_for_each_and_given_back(house: Any, reader: httpx.Client) -> None:
    path = f"/api/v1/live?points={house.points['cellar']}"
    with ExitStack() as open_streams:
        streams = [open_streams.enter_context(reader.stream("GET", path)).iter_lines() for _ in range(3)]
        for lines in streams:
            assert next(lines) == "event: readings"
        refused = reader.get(path)
        assert refused.status_code == 429
        assert "close some" in refused.json()["detail"]
        with house.client(house.barn_read).stream("GET", f"/api/v1/live?points={house.points['secret']}") as other:
            assert other.status_code == 200
    answer = reader.get("/api/v1/live?points=none")
    assert answer.json()["places"][0]["place"] == "points"
    while True:  # the server notices the closed connections
        with reader.stream("GET", path) as answer:
            if answer.status_code == 200:
                break


def test_a_stream_ends_with_the_session(house: Any) -> None:
    with house.signed_in() as person, house.client() as other:
        other.cookies = person.cookies
        token = person.cookies["wattstead_session"]
        cookie = {"Cookie": f"wattstead_session={token}"}
        with other.stream("GET", f"/api/v1/live?points={house.points['cellar']}", headers=cookie) as answer:
            lines = answer.iter_lines()
            next(lines)
            assert person.delete("/api/v1/session").status_code == 204
            assert list(lines)[-1] == ""  # the server closes it


def test_too_many_points_are_refused(reader: httpx.Client) -> None:
    answer = reader.get("/api/v1/live?points=" + ",".join(map(str, range(1, 2_002))))
    assert answer.status_code == 400
    assert "at most 2000" in answer.json()["detail"]


def test_a_guest_sees_nothing_more_once_the_link_is_taken_back(house: Any, person: httpx.Client) -> None:
    body = {"site_id": house.home, "name": "Eve", "expires_days": 1}
    made = person.post("/api/v1/shares", json=body).json()
    with house.client() as eve:
        assert eve.get(f"/api/v1/shared/{made['link'].rpartition('/')[2]}").status_code == 200
        assert eve.get(f"/api/v1/live?points={house.points['secret']}").status_code == 404
        with eve.stream("GET", f"/api/v1/live?points={house.points['cellar']}") as answer:
            lines = answer.iter_lines()
            assert next(lines) == "event: readings"
            assert person.delete(f"/api/v1/shares/{made['id']}").status_code == 204
            assert all("data" not in line for line in list(lines)[1:])
        assert eve.get(f"/api/v1/points?site={house.home}").status_code == 401


def test_a_stream_ends_when_its_key_or_link_does(open_office: Any, tmp_path: Path) -> None:
    """At that instant, not at the next of the heartbeats, which are long here."""
    with open_office(tmp_path, heartbeat_s=60.0) as office, office.signed_in() as person:
        site, ends = office.site, datetime.now(UTC) + timedelta(seconds=6)
        (point,) = office.registry.create_points(site, [PointDeclaration(address="power", name="Power")])
        body = {"site_id": site, "name": "short", "expires": ends.isoformat()}
        key = person.post("/keys", json=body | {"scope": "read"}).raise_for_status().json()
        link = person.post("/shares", json=body).raise_for_status().json()["link"]
        with office.client(Authorization=f"Bearer {key['secret']}") as program, office.client() as guest:
            guest.get(f"/shared/{link.rpartition('/')[2]}").raise_for_status()
            for client in (program, guest):
                assert client.get("/points").status_code == 200
            streams = [client.stream("GET", f"/live?points={point}", timeout=30) for client in (program, guest)]
            with streams[0] as first, streams[1] as second:
                for answer in (first, second):
                    assert answer.status_code == 200
                    answer.read()  # until the server ends it
            assert ends <= datetime.now(UTC)
            for client in (program, guest):
                assert client.get(f"/live?points={point}").status_code == 401


def test_a_stream_ends_when_somebody_signs_out(open_office: Any, tmp_path: Path) -> None:
    """At once, with heartbeats that are long; the streams of other browsers go on."""
    with open_office(tmp_path, heartbeat_s=60.0) as office, office.signed_in() as person, office.signed_in() as other:
        (point,) = office.registry.create_points(office.site, [PointDeclaration(address="power", name="Power")])
        cookie = {"Cookie": f"wattstead_session={person.cookies['wattstead_session']}"}
        with office.client() as program, other.stream("GET", f"/live?points={point}") as goes_on:
            with program.stream("GET", f"/live?points={point}", headers=cookie, timeout=30) as answer:
                assert answer.status_code == goes_on.status_code == 200
                assert person.delete("/session").status_code == 204
                answer.read()  # until the server ends it
            assert other.get("/session").status_code == 200 and not goes_on.is_closed


def test_a_stream_ends_when_the_role_does_that_let_it_be_seen(open_office: Any, tmp_path: Path) -> None:
    """At that instant, with heartbeats that are long; what another role shows is still to be seen."""
    with open_office(tmp_path, heartbeat_s=60.0) as office, office.signed_in() as owner:
        ended, kept = office.site, office.registry.create_site(office.root, "Barn", "Europe/Paris").id
        declared = [PointDeclaration(address="power", name="Power")]
        (gone,), (stays,) = (office.registry.create_points(site, declared) for site in (ended, kept))
        with office.join("eve@test.example", "guest", site_id=kept) as eve:
            ends = datetime.now(UTC) + timedelta(seconds=6)
            body = {"site_id": ended, "email": "eve@test.example", "expires": ends.isoformat()}
            assert owner.post("/shares", json=body).raise_for_status().json()["kind"] == "person"
            with eve.stream("GET", f"/live?points={gone}", timeout=30) as answer:
                assert answer.status_code == 200
                answer.read()  # until the server ends it
            assert ends <= datetime.now(UTC)
            assert eve.get(f"/live?points={gone}").status_code == 404
            with eve.stream("GET", f"/live?points={stays}") as answer:
                assert answer.status_code == 200
