"""Who sees a site over HTTP: granted, handed over, shown by links and to people, and taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.web.places.fleet import Fleet, if_match, said

from wattstead.registry import tables
from wattstead.registry.records import PointDeclaration

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\3\1\1\0"
    b"\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82"
)


def test_who_sees_a_site(fleet: Fleet) -> None:
    told = said(fleet.owner.get(f"/sites/{fleet.mill}/access"))
    assert {one["name"] for one in told["organizations"]} == {"Home", "Partner 1"}
    assert [one["email"] for one in told["people"]] == ["user@mill.example"]
    partner = said(fleet.partner.get(f"/sites/{fleet.mill}/access"))
    assert {one["name"] for one in partner["organizations"]} == {"Partner 1"}
    assert fleet.rival.get(f"/sites/{fleet.mill}/access").status_code == 404
    body = {"organization_id": fleet.two}
    assert fleet.partner.put(f"/sites/{fleet.mill}/access", json=body).status_code == 404
    said(fleet.owner.put(f"/sites/{fleet.mill}/access", json=body))
    assert fleet.rival.get(f"/sites/{fleet.mill}").status_code == 200
    version = if_match(fleet.rival, f"/sites/{fleet.mill}")
    assert fleet.rival.patch(f"/sites/{fleet.mill}", json={"city": "x"}, headers=version).status_code == 403
    assert fleet.rival.put(f"/sites/{fleet.mill}/access", json=body).status_code == 403
    assert fleet.owner.delete(f"/sites/{fleet.mill}/access/{fleet.two}").status_code == 204
    assert fleet.rival.get(f"/sites/{fleet.mill}").status_code == 404


def test_who_was_granted_a_site_changes_it_and_neither_takes_nor_destroys(fleet: Fleet) -> None:
    site = said(fleet.partner.post("/sites", json={"name": "Lent", "zone": "UTC"}), 201)["site"]["id"]
    (key,) = said(fleet.partner.get(f"/keys?site={site}"))
    device = said(fleet.partner.post("/devices", json={"name": "Meter", "site_id": site}), 201)["id"]
    fleet.office.registry.create_points(site, [PointDeclaration(address="power", name="Power")])
    said(fleet.owner.put(f"/sites/{site}/access", json={"organization_id": fleet.two, "changes": True}))
    rival, version = fleet.rival, if_match(fleet.rival, f"/sites/{site}")
    said(rival.patch(f"/sites/{site}", json={"city": "Nantes"}, headers=version))
    space = said(rival.post("/spaces", json={"site_id": site, "name": "Hall"}), 201)["id"]
    said(rival.patch(f"/devices/{device}", json={"note": "x"}, headers=if_match(rival, f"/devices/{device}")))
    refused = [
        *(rival.post("/keys", json={"site_id": site, "scope": scope}) for scope in ("read", "write", "admin")),
        rival.delete(f"/keys/{key['id']}"),
        rival.post(f"/keys/{key['id']}/rotate", json={}),
        rival.delete(f"/sites/{site}/readings?reason=because"),
        rival.delete(f"/sites/{site}", headers=if_match(rival, f"/sites/{site}")),
        rival.delete(f"/devices/{device}", headers=if_match(rival, f"/devices/{device}")),
        rival.delete(f"/spaces/{space}", headers=if_match(rival, f"/spaces/{space}")),
        rival.post(f"/devices/{device}/move", json={"site_id": fleet.barn, "with_history": True}),
        rival.post(f"/devices/{device}/move", json={"site_id": None}),
        rival.post(f"/sites/{site}/handover", json={"organization_id": fleet.two}),
        rival.put(f"/sites/{site}/access", json={"organization_id": fleet.two, "changes": True}),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    link = {"site_id": site, "name": "link", "expires_days": 3}
    own = fleet.office.join("owner@two.example", "owner", organization_id=fleet.two)
    assert own.post("/shares", json=link).status_code == 403
    mine = said(rival.post("/devices", json={"name": "Mine", "site_id": fleet.barn}), 201)["id"]
    assert rival.post(f"/devices/{mine}/move", json={"site_id": site}).status_code == 403, "its keys would come along"
    assert fleet.owner.delete(f"/sites/{site}/access/{fleet.two}").status_code == 204


def test_only_who_may_give_away_takes_a_device_off_or_hands_a_site_over(fleet: Fleet) -> None:
    device = said(fleet.partner.post("/devices", json={"name": "Meter", "site_id": fleet.mill}), 201)["id"]
    admin = said(fleet.partner.post("/keys", json={"site_id": fleet.mill, "scope": "admin"}), 201)["secret"]
    operator = fleet.office.join("operator@one.example", "operator", organization_id=fleet.one)
    operator.post("/reason", json={"reason": "a meter is silent"}).raise_for_status()
    manager = fleet.office.join("manager@one.example", "manager", organization_id=fleet.one)
    with fleet.office.client(Authorization=f"Bearer {admin}") as program:
        for client in (operator, program):
            assert client.get(f"/devices/{device}").status_code == 200
            assert client.post(f"/devices/{device}/move", json={"site_id": None}).status_code == 403
    below = said(fleet.partner.post("/organizations", json={"name": "Heir", "parent_id": fleet.one}), 201)["id"]
    for path, send in (("handover", manager.post), ("access", manager.put)):
        body = {"organization_id": below} | ({"changes": True} if path == "access" else {})
        assert send(f"/sites/{fleet.mill}/{path}", json=body).status_code == 403
    assert said(fleet.partner.get(f"/sites/{fleet.mill}"))["organization_id"] == fleet.one
    said(manager.post(f"/devices/{device}/move", json={"site_id": None}))


def test_a_site_is_handed_over(fleet: Fleet) -> None:
    site = said(fleet.partner.post("/sites", json={"name": "Handed", "zone": "UTC"}), 201)["site"]["id"]
    path = f"/sites/{site}/handover"
    assert fleet.partner.post(path, json={"organization_id": fleet.two}).status_code == 404
    assert fleet.partner.post(path, json={}).status_code == 400
    assert "token=" in said(fleet.partner.post(path, json={"email": "resident@home.example"}))["link"]
    made = {
        scope: said(fleet.partner.post("/keys", json={"site_id": site, "scope": scope}), 201)["secret"]
        for scope in ("read", "admin", "write")
    }
    link = {"site_id": site, "name": "link", "expires_days": 3}
    said(fleet.owner.post("/shares", json=link), 201)
    said(fleet.owner.post("/shares", json={"site_id": site, "email": "user@mill.example", "expires_days": 3}), 201)
    given = said(fleet.owner.post(path, json={"organization_id": fleet.two}))
    assert given == {"link": "", "ended_keys": 2, "ended_shares": 2}
    assert fleet.partner.get(f"/sites/{site}").status_code == 404
    assert fleet.rival.get(f"/sites/{site}").status_code == 200
    for scope, status in (("read", 401), ("admin", 401), ("write", 403)):
        with fleet.office.client(Authorization=f"Bearer {made[scope]}") as program:
            assert program.get(f"/sites/{site}").status_code == status, scope
    assert said(fleet.rival.get(f"/sites/{site}/access"))["links"] == []
    assert [one["scope"] for one in said(fleet.rival.get(f"/keys?site={site}"))] == ["write", "write"]
    assert fleet.user.get(f"/sites/{site}").status_code == 404


def test_a_key_that_only_reads_does_not_hold_a_site(fleet: Fleet) -> None:
    new = {"name": "Closing", "zone": "UTC", "organization_id": fleet.one, "write_key": False}
    site = said(fleet.owner.post("/sites", json=new), 201)["site"]["id"]
    fleet.office.registry.create_points(site, [PointDeclaration(address="power", name="Power")])
    said(fleet.owner.post("/keys", json={"site_id": site, "scope": "read"}), 201)
    sends = said(fleet.owner.post("/keys", json={"site_id": site, "scope": "write"}), 201)["id"]
    path = f"/sites/{site}"
    held = fleet.owner.delete(path, headers=if_match(fleet.owner, path))
    assert held.status_code == 409 and "1 keys that may still send" in held.json()["detail"]
    with fleet.office.registry._db.writing() as s:  # over for a minute
        s.get(tables.Key, sends).expires = datetime.now(UTC) - timedelta(minutes=1)
    assert fleet.owner.delete(path, headers=if_match(fleet.owner, path)).status_code == 204


def test_a_link_shows_one_site_until_it_is_taken_back(fleet: Fleet) -> None:
    body = {"site_id": fleet.mill, "name": "For Eve", "expires_days": 2}
    assert fleet.partner.post("/shares", json=body).status_code == 403
    made = said(fleet.user.post("/shares", json=body), 201)
    token = made["link"].rpartition("/")[2]
    with fleet.office.client() as eve:
        assert eve.get("/shared/wrong").status_code == 404
        assert said(eve.get(f"/shared/{token}"))["site_id"] == fleet.mill
        assert [row["id"] for row in said(eve.get("/sites"))["rows"]] == [fleet.mill]
        assert said(eve.get(f"/sites/{fleet.mill}"))["address"] == ""
        assert eve.get(f"/sites/{fleet.barn}").status_code == 404
        assert eve.patch(f"/sites/{fleet.mill}", json={}, headers={"If-Match": '"1"'}).status_code == 403
        for path in (
            "/keys", f"/keys?site={fleet.mill}", "/people", "/trail", "/organizations",
            "/directory/export?kind=sites", f"/shares?site={fleet.mill}", f"/sites/{fleet.mill}/history",
        ):  # fmt: skip
            assert eve.get(path).status_code == 403, path
        (row,) = [one for one in said(fleet.user.get(f"/shares?site={fleet.mill}"))["rows"] if one["kind"] == "link"]
        assert (row["id"], row["link"]) == (made["id"], "")
        assert fleet.rival.delete(f"/shares/{made['id']}").status_code in (403, 404)
        assert fleet.user.delete(f"/shares/{made['id']}").status_code == 204
        assert eve.get("/sites").status_code == 401
        assert eve.get(f"/shared/{token}").status_code == 404


def test_a_site_is_shown_to_a_person(fleet: Fleet) -> None:
    shed = fleet.office.registry.create_site(fleet.one, "Shed", "Europe/Paris").id
    with fleet.office.join("guest@else.example", "user", site_id=shed) as guest:
        assert guest.get(f"/sites/{fleet.mill}").status_code == 404
        body = {"site_id": fleet.mill, "email": "guest@else.example", "expires_days": 1}
        made = said(fleet.user.post("/shares", json=body), 201)
        assert guest.get(f"/sites/{fleet.mill}").status_code == 200
        version = if_match(guest, f"/sites/{fleet.mill}")
        assert guest.patch(f"/sites/{fleet.mill}", json={}, headers=version).status_code == 403
        assert guest.post("/shares", json=body).status_code == 403
        assert fleet.user.delete(f"/shares/{made['id']}").status_code == 204
        assert guest.get(f"/sites/{fleet.mill}").status_code == 404
    unknown = fleet.user.post("/shares", json={"site_id": fleet.mill, "email": "fresh@else.example"})
    assert "token=" in said(unknown, 201)["link"]
    assert fleet.user.post("/shares", json={"site_id": fleet.barn, "name": "x", "expires_days": 1}).status_code == 404
    assert fleet.user.post("/shares", json={"site_id": fleet.mill, "name": "endless"}).status_code == 400
    for wrong in ("person-1", "link-999999", "person-x", "1", "../1"):
        assert fleet.user.delete(f"/shares/{wrong}").status_code in (404, 405)
