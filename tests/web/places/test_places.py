"""Organizations, sites, spaces, keys and the trail over HTTP: two partners who must not see each other."""

from __future__ import annotations

from pathlib import Path

import httpx
from tests.web.places.fleet import Fleet, if_match, said

from wattstead.registry.records import PointDeclaration

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\3\1\1\0"
    b"\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82"
)


def test_organizations_make_a_tree(fleet: Fleet) -> None:
    rows = said(fleet.owner.get("/organizations"))["rows"]
    assert [(row["name"], row["depth"]) for row in rows][:2] == [("Home", 0), ("Partner 1", 1)]
    (mine,) = said(fleet.partner.get("/organizations"))["rows"]
    assert (mine["id"], mine["parent_id"], mine["parent"], mine["depth"], mine["sites"]) == (fleet.one, None, "", 0, 1)
    made = said(fleet.partner.post("/organizations", json={"name": "Below", "parent_id": fleet.one}), 201)
    assert made["parent"] == "Partner 1"
    below = f"/organizations/{made['id']}"
    changed = fleet.partner.patch(below, json={"name": "Lower"}, headers=if_match(fleet.partner, below))
    assert said(changed)["name"] == "Lower"
    assert fleet.partner.patch(below, json={"name": "x"}).status_code == 428
    assert fleet.partner.patch(below, json={"name": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    listed = said(fleet.owner.get("/organizations", params={"parent_id": fleet.one, "sort": "name"}))
    assert [row["id"] for row in listed["rows"]] == [made["id"]]
    assert fleet.partner.delete(below, headers=if_match(fleet.partner, below)).status_code == 403
    assert fleet.owner.delete(below, headers=if_match(fleet.owner, below)).status_code == 204


def test_organizations_in_which_one_may_do_something(fleet: Fleet) -> None:
    own = fleet.office.registry.create_organization("Own branch", fleet.root).id
    looked_at = fleet.office.registry.create_organization("Looked at", fleet.root).id
    mixed = fleet.office.join("mixed@partner.example", "partner", organization_id=own)
    person = said(fleet.owner.get("/people", params={"q": "mixed@partner.example"}))["rows"][0]["id"]
    body = {"role": "auditor", "organization_id": looked_at}
    assert fleet.owner.post(f"/people/{person}/memberships", json=body).is_success
    with mixed:
        assert {row["id"] for row in said(mixed.get("/organizations"))["rows"]} == {own, looked_at}
        allowed = said(mixed.get("/organizations", params={"may": "create site"}))
        assert ([row["id"] for row in allowed["rows"]], allowed["total"]) == ([own], 1)
        given = said(mixed.get("/organizations", params={"may": "give away site"}))
        assert [row["id"] for row in given["rows"]] == [own]
        assert mixed.get("/organizations", params={"may": "paint site"}).status_code == 400


def test_nobody_moves_a_branch_out_of_or_into_foreign_hands(fleet: Fleet) -> None:
    path = f"/organizations/{fleet.one}"
    for parent in (fleet.two, fleet.root, None):
        answer = fleet.partner.patch(path, json={"parent_id": parent}, headers=if_match(fleet.partner, path))
        assert answer.status_code in (403, 404)
    for body in ({"name": "x", "parent_id": fleet.two}, {"name": "x", "parent_id": fleet.root}):
        assert fleet.partner.post("/organizations", json=body).status_code == 404
    assert fleet.partner.post("/organizations", json={"name": "x"}).status_code == 403
    made = said(fleet.owner.post("/organizations", json={"name": "Movable", "parent_id": fleet.one}), 201)
    path = f"/organizations/{made['id']}"
    moved = fleet.owner.patch(path, json={"parent_id": fleet.two}, headers=if_match(fleet.owner, path))
    assert said(moved)["parent_id"] == fleet.two
    assert fleet.rival.get(path).status_code == 200
    assert fleet.partner.get(path).status_code == 404


def test_a_closed_branch_is_signed_out_at_once(fleet: Fleet) -> None:
    made = said(fleet.owner.post("/organizations", json={"name": "Closing", "parent_id": fleet.root}), 201)
    with fleet.office.join("late@closing.example", "partner", organization_id=made["id"]) as late:
        site = said(late.post("/sites", json={"name": "Late", "zone": "UTC"}), 201)
        path = f"/organizations/{made['id']}"
        fleet.owner.patch(path, json={"disabled": True}, headers=if_match(fleet.owner, path))
        assert late.get("/sites").status_code == 401
        with fleet.office.client() as door:
            body = {"email": "late@closing.example", "password": "correct horse battery"}
            assert door.post("/session", json=body).status_code == 403
        assert fleet.office.registry.key(site["secret"]) is None
        fleet.owner.patch(path, json={"disabled": False}, headers=if_match(fleet.owner, path))
        assert fleet.office.registry.key(site["secret"]) is not None


def test_a_site_in_one_step(fleet: Fleet) -> None:
    body = {
        "name": "New home", "zone": "Europe/Paris", "city": "Nice", "peak_power_w": 6000, "installed_on": "2024-05-01",
        "tags": {"roof": "south"}, "user": {"email": "new@home.example", "name": "New"},
    }  # fmt: skip
    made = said(fleet.partner.post("/sites", json=body), 201)
    assert made["site"]["organization_id"] == fleet.one
    assert (made["site"]["installed_on"], made["site"]["tags"]) == ("2024-05-01", {"roof": "south"})
    assert len(made["secret"]) == 32
    token = made["link"].partition("/invitation?token=")[2]
    site = made["site"]["id"]
    with fleet.office.client() as door:
        said(door.post("/invitations/accept", json={"token": token, "password": "correct horse battery"}))
    people = said(fleet.partner.get("/people", params={"site": site}))["rows"]
    assert [(one["email"], one["name"]) for one in people] == [("new@home.example", "New")]
    assert said(fleet.partner.get(f"/sites/{site}"))["city"] == "Nice"
    assert fleet.rival.get(f"/sites/{site}").status_code == 404
    listed = said(fleet.partner.get("/sites", params={"city": "Nice", "tag": "roof=south"}))
    assert [row["id"] for row in listed["rows"]] == [site]


def test_whoever_runs_the_platform_too_has_an_organization_of_their_own(fleet: Fleet) -> None:
    assert set(said(fleet.owner.get("/session"))["roles"]) == {"owner", "administrator"}
    site = said(fleet.owner.post("/sites", json={"name": "Own house", "zone": "UTC"}), 201)["site"]
    device = said(fleet.owner.post("/devices", json={"name": "Own meter"}), 201)
    assert (site["organization_id"], device["organization_id"]) == (fleet.root, fleet.root)
    line = {"params": {"kind": "sites"}, "content": b"name,zone\nOwn barn,UTC\n"}
    assert said(fleet.owner.post("/imports", **line))["problems"] == []
    with fleet.office.join("platform@alone.example", "administrator") as platform:
        refused = platform.post("/sites", json={"name": "Whose?", "zone": "UTC"})
        assert refused.status_code == 400 and "organization" in refused.json()["detail"]


def test_a_site_that_fails_leaves_nothing(fleet: Fleet) -> None:
    before = said(fleet.owner.get("/sites"))["total"]
    for body in (
        {"name": "x", "zone": "Mars/Base"},
        {"name": "x", "zone": "UTC", "latitude": 91},
        {"name": "x", "zone": "UTC", "user": {"email": "none"}},
        {"name": "x", "zone": "UTC", "organization_id": fleet.two},
        {"name": "x", "zone": "UTC", "path": "/"},
        {"name": "x", "zone": "UTC", "id": 1},
    ):
        assert fleet.partner.post("/sites", json=body).status_code in (400, 404), body
    assert fleet.user.post("/sites", json={"name": "x", "zone": "UTC"}).status_code == 403
    assert said(fleet.owner.get("/sites"))["total"] == before


def test_the_same_request_twice_is_done_once(fleet: Fleet) -> None:
    token, body = {"Idempotency-Key": "abc-1"}, {"name": "Once", "zone": "UTC"}
    first = said(fleet.partner.post("/sites", json=body, headers=token), 201)
    again = said(fleet.partner.post("/sites", json=body, headers=token), 201)
    assert first["site"]["id"] == again["site"]["id"]
    assert len(first["secret"]) == 32
    assert again["secret"] == ""
    assert fleet.partner.post("/sites", json={**body, "name": "Other"}, headers=token).status_code == 409
    other = said(fleet.rival.post("/sites", json=body, headers=token), 201)
    assert other["site"]["id"] != first["site"]["id"]
    wrong = {"Idempotency-Key": "abc-2"}
    assert fleet.partner.post("/sites", json={"name": "x", "zone": "Mars"}, headers=wrong).status_code == 400
    assert fleet.partner.post("/sites", json={"name": "x", "zone": "Mars"}, headers=wrong).status_code == 400


def test_a_site_is_changed_by_whoever_may(fleet: Fleet) -> None:
    path = f"/sites/{fleet.mill}"
    version = if_match(fleet.partner, path)
    assert said(fleet.partner.patch(path, json={"heating": "gas", "occupants": 3}, headers=version))["heating"] == "gas"
    assert fleet.partner.patch(path, json={"heating": "oil"}, headers=version).status_code == 412
    assert fleet.user.patch(path, json={"heating": "oil"}, headers=if_match(fleet.user, path)).status_code == 403
    version = if_match(fleet.partner, path)
    for body in (
        {"organization_id": fleet.two}, {"id": fleet.barn}, {"version": 9}, {"photo": "../../etc/passwd"},
        {"created": "2020-01-01"}, {"area_m2": -1}, {"installed_on": "yesterday"}, {"tags": {"k": "v" * 300}},
    ):  # fmt: skip
        assert fleet.partner.patch(path, json=body, headers=version).status_code == 400, body
    assert said(fleet.partner.patch(path, json={"occupants": None}, headers=version))["occupants"] is None
    foreign, missing = (fleet.rival.patch(f"/sites/{i}", json={}, headers=version) for i in (fleet.mill, 987_654))
    assert foreign.status_code == missing.status_code == 404


def test_filters_never_reach_beyond_what_is_seen(fleet: Fleet) -> None:
    for question in (
        {"organization": fleet.two}, {"organization_id": fleet.two}, {"q": "barn"}, {"name": "Barn"},
        {"id": fleet.barn}, {"person.email": "two@partner.example"}, {"device.site_id": fleet.barn},
    ):  # fmt: skip
        told = said(fleet.partner.get("/sites", params=question))
        assert (told["rows"], told["total"]) == ([], 0), question
    for wrong in ({"secret_hash": "x"}, {"limit": "0"}, {"limit": "9999"}, {"sort": "path"}, {"order": "up"},
                  {"cursor": "x"}, {"area_m2.from": "big"}, {"city.like": "x"}):  # fmt: skip
        assert fleet.partner.get("/sites", params=wrong).status_code == 400, wrong


def test_no_filter_tells_what_one_is_not_told(fleet: Fleet) -> None:
    """Nor nested in another kind of thing, nor by the order or the cursor of a list."""
    told = {"customer_number": "C-4711", "address": "3 quai des Brumes"}
    site = said(fleet.partner.post("/sites", json={"name": "Private", "zone": "UTC", **told}), 201)["site"]["id"]
    said(fleet.partner.post("/devices", json={"name": "Meter", "site_id": site}), 201)
    resident = fleet.office.join("resident@private.example", "user", site_id=site)
    guest = fleet.office.join("guest@private.example", "guest", site_id=site)
    asked = ("devices?site.person.email.prefix=resident", "devices?site.person.name.prefix=resident",
             "sites?person.email.prefix=resident", "sites?device.site.person.name=resident")  # fmt: skip
    for question in asked:
        assert fleet.partner.get(f"/{question}").json()["total"] == 1, question
        for client in (resident, guest):
            assert client.get("/people").status_code == 403
            assert client.get(f"/{question}").json()["total"] == 0, question
    read = said(fleet.partner.post("/keys", json={"site_id": site, "scope": "read"}), 201)["secret"]
    with fleet.office.client(Authorization=f"Bearer {read}") as program:
        assert program.get("/sites?city.empty=yes").json()["total"] == 1
        for question in (
            "sites?address.prefix=3", "devices?site.address.prefix=3", "devices?site.customer_number=C-4711",
            "sites?device.site.customer_number=C-4711", "sites?device.site.device.site.occupants.empty=yes",
            "sites?q=brumes", "sites?sort=customer_number&limit=1", "devices?site.latitude.from=0",
        ):  # fmt: skip
            assert program.get(f"/{question}").status_code == 403, question
    assert resident.get("/devices?site.customer_number=C-4711").json()["total"] == 1


def test_pages_follow_each_other(fleet: Fleet) -> None:
    whole = [row["id"] for row in said(fleet.owner.get("/sites", params={"sort": "name"}))["rows"]]
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"sort": "name", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = said(fleet.owner.get("/sites", params=asked))
        found += [row["id"] for row in page["rows"]]
        cursor = page["cursor"]
    assert found == whole


def test_pictures(fleet: Fleet, tmp_path: Path) -> None:
    path = f"/sites/{fleet.mill}/photo"
    assert fleet.user.get(path).status_code == 204
    assert fleet.user.put(path, content=PNG).status_code == 403
    kept = said(fleet.partner.put(path, content=PNG))["photo"]
    assert kept.endswith(".png")
    shown = fleet.user.get(path)
    assert (shown.content, shown.headers["Content-Type"]) == (PNG, "image/png")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    for wrong in (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", b"GIF89a", b"\xff\xd8\xff<html>", b"x"):
        assert fleet.partner.put(path, content=wrong).status_code == 400
    assert fleet.partner.put(path, content=PNG + b"x" * 5_000_001).status_code == 413
    assert fleet.rival.get(path).status_code == 404
    for name in ("..%2f..%2fregistry.db", "%2e%2e/photo"):
        assert fleet.partner.get(f"/sites/{name}/photo").status_code in (404, 405)
    assert said(fleet.partner.put(path, content=b""))["photo"] == ""


def test_spaces_of_a_site(fleet: Fleet) -> None:
    hall = said(fleet.partner.post("/spaces", json={"site_id": fleet.mill, "name": "Hall", "kind": "building"}), 201)
    body = {"site_id": fleet.mill, "name": "Line", "kind": "line", "parent_id": hall["id"]}
    line = said(fleet.partner.post("/spaces", json=body), 201)
    rows = said(fleet.user.get("/spaces", params={"site": fleet.mill}))["rows"]
    assert [(row["name"], row["depth"]) for row in rows] == [("Hall", 0), ("Line", 1)]
    assert fleet.rival.get("/spaces", params={"site": fleet.mill}).status_code == 404
    assert fleet.rival.get(f"/spaces/{hall['id']}").status_code == 404
    assert fleet.user.post("/spaces", json=body).status_code == 403
    assert fleet.rival.post("/spaces", json=body).status_code == 404
    theirs = said(fleet.rival.post("/spaces", json={"site_id": fleet.barn, "name": "Theirs"}), 201)
    path = f"/spaces/{line['id']}"
    stolen = fleet.partner.patch(path, json={"parent_id": theirs["id"]}, headers=if_match(fleet.partner, path))
    assert stolen.status_code == 404
    assert fleet.partner.patch(path, json={"site_id": fleet.barn}, headers={"If-Match": '"1"'}).status_code == 400
    registry = fleet.office.registry
    (mine,) = registry.create_points(fleet.mill, [PointDeclaration(address="line", name="Line")])
    (foreign,) = registry.create_points(fleet.barn, [PointDeclaration(address="line", name="Line")])
    assert said(fleet.partner.put(f"{path}/points", json={"points": [mine]}))["points"] == [mine]
    assert fleet.partner.put(f"{path}/points", json={"points": [foreign]}).status_code == 404
    assert fleet.partner.put(f"/spaces/{hall['id']}/points", json={"out": [mine]}).status_code == 400  # not in it
    assert fleet.user.put(f"{path}/points", json={"out": [mine]}).status_code == 403
    assert fleet.partner.put(f"{path}/points", json={"out": [foreign]}).status_code == 404
    assert said(fleet.partner.put(f"{path}/points", json={"out": [mine]}))["points"] == []
    assert fleet.partner.delete(f"/spaces/{hall['id']}", headers={"If-Match": '"1"'}).status_code == 409
    assert fleet.partner.delete(path, headers=if_match(fleet.partner, path)).status_code == 204


def test_keys_of_devices_and_their_successors(fleet: Fleet) -> None:
    device = said(fleet.partner.post("/devices", json={"name": "Meter", "site_id": fleet.mill}), 201)["id"]
    body = {"site_id": fleet.mill, "scope": "write", "device_id": device, "expires_days": 30, "plain_http": False}
    key = said(fleet.partner.post("/keys", json=body), 201)
    assert (key["device_id"], key["plain_http"]) == (device, False)
    assert fleet.rival.post("/keys", json={**body, "site_id": fleet.barn}).status_code == 404
    new = said(fleet.partner.post(f"/keys/{key['id']}/rotate", json={}), 201)
    assert new["secret"] != key["secret"]
    registry = fleet.office.registry
    assert registry.key(key["secret"]) is not None
    assert registry.key(new["secret"]) is not None
    assert fleet.rival.post(f"/keys/{new['id']}/rotate", json={}).status_code == 404
    assert fleet.partner.post(f"/keys/{key['id']}/rotate", json={}).status_code == 400


def test_keys_do_what_their_scope_says(fleet: Fleet) -> None:
    secrets = {
        scope: said(fleet.partner.post("/keys", json={"site_id": fleet.mill, "scope": scope}), 201)["secret"]
        for scope in ("write", "read", "admin")
    }
    path = f"/sites/{fleet.mill}"
    told: dict[str, list[int]] = {}
    for scope, secret in secrets.items():
        with httpx.Client(base_url=f"{fleet.office.url}/api/v1", headers={"Authorization": f"Bearer {secret}"}) as it:
            version = {"If-Match": fleet.partner.get(path).headers["ETag"]}
            told[scope] = [
                it.get(path).status_code,
                it.get(f"/sites/{fleet.barn}").status_code,
                it.patch(path, json={"note": scope}, headers=version).status_code,
                it.post("/spaces", json={"site_id": fleet.mill, "name": scope}).status_code,
                it.post("/spaces", json={"site_id": fleet.barn, "name": scope}).status_code,
                it.post("/sites", json={"name": scope, "zone": "UTC"}).status_code,
                it.post("/keys", json={"site_id": fleet.mill, "scope": "admin"}).status_code,
                it.get("/people").status_code,
            ]
    assert told["write"] == [403] * 8
    assert told["read"] == [200, 404, 403, 403, 403, 403, 403, 403]
    assert told["admin"] == [200, 404, 200, 201, 404, 403, 403, 403]


def test_the_trail_tells_each_what_is_theirs(fleet: Fleet) -> None:
    path = f"/sites/{fleet.mill}"
    fleet.partner.patch(path, json={"cluster": "west"}, headers=if_match(fleet.partner, path))
    row = said(fleet.user.get(f"{path}/history"))["rows"][0]
    assert (row["action"], row["fields"], row["who"]) == ("change", {"cluster": ["", "west"]}, "")
    told = said(fleet.partner.get("/trail", params={"resource": "site", "id": fleet.mill, "limit": 1}))
    assert (told["rows"][0]["who"], len(told["rows"])) == ("one", 1)
    more = said(fleet.partner.get("/trail", params={"resource": "site", "id": fleet.mill, "cursor": told["cursor"]}))
    assert more["rows"][0]["id"] < told["rows"][0]["id"]
    assert said(fleet.rival.get("/trail", params={"resource": "site", "id": fleet.mill}))["rows"] == []
    assert fleet.rival.get(f"{path}/history").status_code == 404
    assert fleet.rival.get("/trail", params={"site": 2**40}).json()["rows"] == []
    assert all(row["site_id"] != fleet.mill for row in said(fleet.rival.get("/trail"))["rows"])
