"""Who may see sources, their letters and their looks around, and who may change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.web.test_sources import SECRET, boss, made, office

if TYPE_CHECKING:
    import httpx
    from tests.web.conftest import Office

__all__ = ["boss", "office"]


def test_who_may_and_who_may_not(office: Office, boss: httpx.Client) -> None:
    source = made(boss, office.site)
    path = f"/sources/{source['id']}"
    body = {"site_id": office.site, "name": "x", "protocol": "p1", "settings": {"host": "127.0.0.1", "port": 9}}
    look = {"site_id": office.site, "protocol": "p1", "settings": body["settings"]}
    other = office.registry.create_site(office.root, "Other", "UTC").id
    manager = office.join("manager@sources.example", "manager", site_id=office.site)
    foreign = office.join("foreign@sources.example", "manager", site_id=other)
    user = office.join("user@sources.example", "user", site_id=office.site)
    guest = office.join("guest@sources.example", "guest", site_id=office.site)
    assert manager.post("/sources", json=body).status_code == 201
    assert "cannot be reached" in manager.post("/sources/look", json=look).json()["fault"]
    assert user.get(path).status_code == 200 and user.get(f"{path}/letters").status_code == 200
    for who in (user, guest):
        assert who.post("/sources", json=body).status_code == 403
        assert who.post("/sources/look", json=look).status_code == 403
        assert who.post(f"{path}/letters/replay", json={}).status_code == 403
    assert guest.get("/sources").status_code == 403 and guest.get(path).status_code == 403
    assert foreign.get(path).status_code == 404 and foreign.get("/sources").json() == []
    assert foreign.get("/sources", params={"site": office.site}).status_code == 404
    assert foreign.post("/sources/look", json=look).status_code == 404
    missing = foreign.get("/sources/987654").text.replace("987654", "N")
    assert (
        missing.partition('"request"')[0]
        == foreign.get(path).text.replace(str(source["id"]), "N").partition('"request"')[0]
    )
    write = boss.post("/keys", json={"site_id": office.site, "scope": "admin"}).json()["secret"]
    with office.client(Authorization=f"Bearer {write}") as key:
        assert key.get("/sources").status_code == 403 and key.post("/sources", json=body).status_code == 403


def test_the_row_of_the_mqtt_port_is_seen_by_who_sees_sources_there(office: Office, boss: httpx.Client) -> None:
    row = office.registry.entrance(office.site, "mqtt-port", "MQTT port").id
    path, other = f"/sources/{row}", office.registry.create_site(office.root, "Elsewhere", "UTC").id
    foreign = office.join("foreign@port.example", "manager", site_id=other)
    user = office.join("user@port.example", "user", site_id=office.site)
    guest = office.join("guest@port.example", "guest", site_id=office.site)
    told = user.get(path).json()
    assert (told["entrance"], told["title"]) == (True, "MQTT port")
    assert user.get(f"{path}/letters").status_code == 200
    assert user.post(f"{path}/letters/replay", json={}).status_code == 403
    assert foreign.get(path).status_code == 404 == foreign.get(f"{path}/letters").status_code
    assert row not in [one["id"] for one in foreign.get("/sources").json()]
    assert guest.get(path).status_code == 403
    version = {"If-Match": boss.get(path).headers["ETag"]}
    assert boss.patch(path, json={"edge_id": 1}, headers=version).status_code == 400
    body = {"site_id": office.site, "name": "x", "protocol": "mqtt-port", "settings": {}}
    assert boss.post("/sources", json=body).status_code == 400
    assert boss.delete(path, headers=version).status_code == 204


def test_an_operator_tells_why_and_the_look_is_kept(office: Office, boss: httpx.Client) -> None:
    source = made(boss, office.site)
    operator = office.join("operator@sources.example", "operator", organization_id=office.root)
    assert operator.get(f"/sources/{source['id']}").status_code == 403
    operator.post("/reason", json={"reason": "ticket 4711: no readings"}).raise_for_status()
    assert operator.get(f"/sources/{source['id']}/letters").status_code == 200
    assert operator.post("/sources", json={}).status_code == 403
    (look,) = boss.get("/trail", params={"resource": "source", "id": source["id"], "action": "look"}).json()["rows"]
    assert look["reason"] == "ticket 4711: no readings"


def test_secrets_of_a_site_are_not_used_by_who_sees_no_readings_there(office: Office, boss: httpx.Client) -> None:
    source = made(boss, office.site, protocol="broker", settings={"host": "mine", "password": SECRET})
    own = office.registry.create_site(office.root, "Own", "UTC").id
    runs_it_all = office.join("runs@sources.example", "administrator")
    account = runs_it_all.get("/session").json()["account_id"]
    boss.post(f"/people/{account}/memberships", json={"role": "manager", "site_id": own}).raise_for_status()
    look = {"site_id": own, "protocol": "broker", "settings": {"host": "mine"}}
    assert runs_it_all.post("/sources/look", json=look).status_code == 200
    assert runs_it_all.post("/sources/look", json=look | {"source_id": source["id"]}).status_code == 403


def test_its_own_key_is_not_among_peoples_keys(office: Office, boss: httpx.Client) -> None:
    source = made(boss, office.site)
    key = office.registry.source(source["id"]).key_id
    assert key not in [row["id"] for row in boss.get("/keys").json()]
    assert boss.delete(f"/keys/{key}").status_code == 409
    assert boss.post(f"/keys/{key}/rotate", json={}).status_code == 409
