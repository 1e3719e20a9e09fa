"""A site that is given away is given away: what a former partner, an administrator or a pair of eyes keep of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from wattstead.registry.errors import LinkInvalid


class Fleet:
    """Two partners of one fleet, a sub-partner, and somebody in each place."""

    def __init__(self, office: Any) -> None:
        self.office, registry = office, office.registry
        self.north = registry.create_organization("North", office.root, kind="partner").id
        self.south = registry.create_organization("South", office.root, kind="partner").id
        self.below = registry.create_organization("Below", self.north, kind="partner").id
        self.owner = office.signed_in()
        self.partner = office.join("north@test.example", "partner", organization_id=self.north)
        self.southern = office.join("south@test.example", "partner", organization_id=self.south)

    def site(self, organization_id: int) -> int:
        """A new site of an organization."""
        made: int = self.office.registry.create_site(organization_id, "House", "Europe/Paris").id
        return made

    def hand_over(self, site: int, organization_id: int, client: httpx.Client | None = None) -> httpx.Response:
        return (client or self.owner).post(f"/sites/{site}/handover", json={"organization_id": organization_id})


@pytest.fixture(scope="module")
def fleet(office: Any) -> Iterator[Fleet]:
    made = Fleet(office)
    yield made
    for client in (made.owner, made.partner, made.southern):
        client.close()


def test_no_grant_outlives_the_handover_for_the_former_owner(fleet: Fleet) -> None:
    site = fleet.site(fleet.north)
    for own in (fleet.north, fleet.office.root):
        refused = fleet.owner.put(f"/sites/{site}/access", json={"organization_id": own, "changes": True})
        assert (refused.status_code, refused.json()["code"]) == (409, "grant.own")
    third = fleet.office.registry.create_organization("Third", fleet.office.root).id
    for other in (fleet.below, fleet.south, third):
        granted = fleet.owner.put(f"/sites/{site}/access", json={"organization_id": other, "changes": True})
        assert granted.status_code == 200, granted.text
    assert fleet.hand_over(site, fleet.south).status_code == 200
    assert fleet.partner.get(f"/sites/{site}").status_code == 404
    access = fleet.southern.get(f"/sites/{site}/access").json()["organizations"]
    assert [(one["id"], one["own"]) for one in access] == [(fleet.south, True), (third, False)]


def test_a_grant_goes_on_where_the_former_owner_stands_above(fleet: Fleet) -> None:
    site = fleet.site(fleet.office.root)
    fleet.owner.put(f"/sites/{site}/access", json={"organization_id": fleet.south})
    assert fleet.hand_over(site, fleet.north).status_code == 200
    assert fleet.southern.get(f"/sites/{site}").status_code == 200
    assert fleet.hand_over(site, fleet.office.root).status_code == 200
    assert fleet.southern.get(f"/sites/{site}").status_code == 200
    assert fleet.partner.get(f"/sites/{site}").status_code == 404


def test_people_of_the_branch_that_is_left_keep_no_role_and_residents_go_along(fleet: Fleet) -> None:
    registry, site, beside = fleet.office.registry, fleet.site(fleet.north), fleet.site(fleet.north)
    installer = fleet.partner.get("/session").json()["account_id"]
    role = {"role": "manager", "site_id": site}
    assert fleet.partner.post(f"/people/{installer}/memberships", json=role).status_code == 201
    with (
        fleet.office.join("lives@test.example", "user", site_id=site) as lives,
        fleet.office.join("two-homes@test.example", "user", site_id=site) as two_homes,
    ):
        resident, other = (one.get("/session").json()["account_id"] for one in (lives, two_homes))
        also = {"role": "user", "site_id": beside}
        assert fleet.partner.post(f"/people/{other}/memberships", json=also).status_code == 201
        assert fleet.hand_over(site, fleet.south).status_code == 200
        assert fleet.partner.get(f"/sites/{site}").status_code == 404
        assert [client.get(f"/sites/{site}").status_code for client in (lives, two_homes)] == [200, 200]
        assert fleet.southern.get(f"/people/{resident}").json()["organization"] == "South"
        assert fleet.partner.get(f"/people/{resident}").status_code == 404
        assert fleet.partner.get(f"/people/{other}").json()["organization"] == "North"
        emails = {one["email"] for one in fleet.southern.get(f"/sites/{site}/access").json()["people"]}
        assert emails == {"lives@test.example", "two-homes@test.example"}
        registry.disable_organization(fleet.north)
        try:
            assert lives.get(f"/sites/{site}").status_code == 200, "a partner who is closed locks no resident out"
        finally:
            registry.disable_organization(fleet.north, False)


def test_no_code_of_an_edge_slips_through_a_handover(fleet: Fleet) -> None:
    registry = fleet.office.registry
    site, kept = fleet.site(fleet.north), fleet.site(fleet.north)
    codes = [
        fleet.partner.post("/edges", json={"site_id": one, "name": "Cellar"}).json()["code"] for one in (site, kept)
    ]
    assert fleet.hand_over(site, fleet.south).status_code == 200
    with pytest.raises(LinkInvalid):
        registry.join_edge(codes[0], "signing", "sealing")
    assert registry.join_edge(codes[1], "signing", "sealing").site_id == kept
    assert fleet.southern.get("/edges", params={"site": site}).json()[0]["code_until"] is None


def test_no_key_slips_through_a_handover(fleet: Fleet) -> None:
    for _ in range(3):
        site = fleet.site(fleet.north)
        made: list[str] = []
        begun = threading.Event()

        def make(site: int = site, made: list[str] = made, begun: threading.Event = begun) -> None:
            with fleet.office.signed_in("north@test.example") as client:
                for _ in range(50):
                    answer = client.post("/keys", json={"site_id": site, "scope": "read"})
                    begun.set()
                    if answer.status_code != 201:
                        return
                    made.append(answer.json()["secret"])

        threads = [threading.Thread(target=make) for _ in range(3)]
        for thread in threads:
            thread.start()
        begun.wait(30)
        assert fleet.hand_over(site, fleet.south).status_code == 200
        for thread in threads:
            thread.join(60)
        assert made
        assert [one for one in made if fleet.office.registry.key(one) is not None] == []


def test_who_runs_the_platform_takes_no_readings_home(fleet: Fleet) -> None:
    registry = fleet.office.registry
    own = registry.create_organization("Own home", fleet.office.root, kind="home").id
    branch = registry.create_organization("Branch", fleet.south, kind="partner").id
    site, inside = fleet.site(fleet.south), fleet.site(branch)
    device = registry.create_device(site, "Meter").id
    with fleet.office.join("both@test.example", "administrator") as both:
        person = both.get("/session").json()["account_id"]
        role = {"role": "owner", "organization_id": own}
        assert fleet.owner.post(f"/people/{person}/memberships", json=role).status_code == 201
        home = both.post("/sites", json={"name": "Home", "zone": "UTC", "organization_id": own}).json()["site"]["id"]
        version = {"If-Match": both.get(f"/organizations/{branch}").headers["ETag"]}
        refused = [
            both.put(f"/sites/{site}/access", json={"organization_id": own}),
            fleet.hand_over(site, own, both),
            both.patch(f"/organizations/{branch}", json={"parent_id": own}, headers=version),
            both.post(f"/devices/{device}/move", json={"site_id": home}),
        ]
        assert [(one.status_code, one.json().get("code")) for one in refused] == [(403, "role.sight")] * 4
        assert both.get("/points", params={"site": inside}).status_code == 404
        assert fleet.hand_over(site, fleet.north, both).status_code == 200
    assert fleet.hand_over(site, own).status_code == 200


def test_no_sight_outlives_a_look_through_somebodys_eyes(fleet: Fleet) -> None:
    registry = fleet.office.registry
    site, depot = fleet.site(fleet.north), fleet.site(fleet.north)
    device = registry.create_device(site, "Meter").id
    with (
        fleet.office.join("owns@test.example", "owner", organization_id=fleet.north) as owns,
        fleet.office.join("looks@test.example", "administrator") as eyes,
    ):
        key = owns.post("/keys", json={"site_id": site, "scope": "read"}).json()["id"]
        person = owns.get("/session").json()["account_id"]
        assert eyes.post(f"/people/{person}/impersonate", json={"reason": "ticket"}).status_code == 201
        assert eyes.get(f"/sites/{site}").status_code == 200
        branch = {"If-Match": eyes.get(f"/organizations/{fleet.below}").headers["ETag"]}
        below = registry.create_organization("Beside", fleet.north).id
        refused = [
            eyes.post("/keys", json={"site_id": site, "scope": "read"}),
            eyes.post("/keys", json={"site_id": site, "scope": "admin"}),
            eyes.post(f"/keys/{key}/rotate", json={}),
            eyes.post("/shares", json={"site_id": site, "name": "Link", "expires_days": 3}),
            eyes.post("/shares", json={"site_id": site, "email": "looks@test.example"}),
            eyes.post("/shares", json={"site_id": site, "email": "anybody@test.example"}),
            eyes.put(f"/sites/{site}/access", json={"organization_id": fleet.below}),
            eyes.post(f"/sites/{site}/handover", json={"organization_id": fleet.below}),
            eyes.post(f"/devices/{device}/move", json={"site_id": depot, "with_history": True}),
            eyes.patch(f"/organizations/{fleet.below}", json={"parent_id": below}, headers=branch),
        ]
        assert [(one.status_code, one.json().get("code")) for one in refused] == [(403, "eyes.lasting")] * 10
        assert eyes.post("/keys", json={"site_id": site, "scope": "write"}).status_code == 201
        assert eyes.delete("/session").status_code == 204
        assert owns.get("/shares", params={"site": site}).json()["rows"] == []


def test_a_branch_that_moves_leaves_the_former_fleet_no_sight(fleet: Fleet) -> None:
    registry = fleet.office.registry
    branch = registry.create_organization("Moving", fleet.north, kind="partner").id
    deeper = registry.create_organization("Deeper", fleet.north).id
    site = fleet.site(branch)
    read, write = (
        fleet.partner.post("/keys", json={"site_id": site, "scope": scope}).json()["secret"]
        for scope in ("read", "write")
    )
    shared = fleet.owner.post("/shares", json={"site_id": site, "name": "Link", "expires_days": 3}).json()
    fleet.owner.put(f"/sites/{site}/access", json={"organization_id": fleet.below})

    def move(parent_id: int) -> None:
        version = {"If-Match": fleet.owner.get(f"/organizations/{branch}").headers["ETag"]}
        moved = fleet.owner.patch(f"/organizations/{branch}", json={"parent_id": parent_id}, headers=version)
        assert moved.status_code == 200, moved.text

    move(deeper)
    assert registry.key(read) is not None
    assert registry.guest(shared["link"].rpartition("/")[2]) is not None
    move(fleet.south)
    assert registry.key(read) is None
    assert registry.key(write) is not None
    assert registry.guest(shared["link"].rpartition("/")[2]) is None
    access = fleet.southern.get(f"/sites/{site}/access").json()["organizations"]
    assert [one["id"] for one in access] == [fleet.south, branch]


def test_a_grant_to_change_silences_nothing(fleet: Fleet) -> None:
    site = fleet.site(fleet.north)
    device = fleet.office.registry.create_device(site, "Meter").id
    fleet.owner.put(f"/sites/{site}/access", json={"organization_id": fleet.south, "changes": True})

    def patch(client: httpx.Client, **told: str) -> httpx.Response:
        version = {"If-Match": client.get(f"/sites/{site}").headers["ETag"]}
        return client.patch(f"/sites/{site}", json=told, headers=version)

    assert patch(fleet.southern, state="disabled", city="Lyon").status_code == 403
    assert patch(fleet.southern, state="active", city="Lyon").status_code == 200
    assert fleet.southern.post(f"/devices/{device}/posting", json={"enabled": False}).status_code == 403
    assert fleet.partner.post(f"/devices/{device}/posting", json={"enabled": False}).status_code == 200
    table = f"id,state\n{site},disabled\n".encode()
    preview = fleet.southern.post("/imports", params={"kind": "sites"}, content=table).json()
    assert preview["change"] == 0 and "grant" in preview["problems"][0]["reason"]
    assert patch(fleet.partner, state="disabled").status_code == 200


def test_whoever_has_a_link_is_not_told_where_a_site_is(fleet: Fleet) -> None:
    site = fleet.office.registry.create_site(
        fleet.north, "Hidden", "UTC", "the key lies under the mat", tags={"geohash": "u0nd9h", "roof": "flat"},
        attributes={"latitude": 48.1, "longitude": 11.5},
    ).id  # fmt: skip
    shared = fleet.owner.post("/shares", json={"site_id": site, "name": "Link", "expires_days": 3}).json()
    with fleet.office.client() as guest:
        assert guest.get(f"/shared/{shared['link'].rpartition('/')[2]}").status_code == 200
        seen = guest.get(f"/sites/{site}").json()
        for asked in ("tag.geohash.prefix=u", "note.prefix=the", "site.tag.geohash=u0nd9h"):
            kind = "devices" if asked.startswith("site.") else "sites"
            assert guest.get(f"/{kind}?{asked}").status_code >= 400, asked
    assert (seen["latitude"], seen["note"], seen["tags"]) == (None, "", {"roof": "flat"})
    told = fleet.partner.get(f"/sites/{site}").json()
    assert (told["note"], told["tags"]["geohash"]) == ("the key lies under the mat", "u0nd9h")


def test_a_share_that_waits_for_an_answer_is_taken_back(fleet: Fleet) -> None:
    site, foreign = fleet.site(fleet.north), fleet.site(fleet.south)
    with fleet.office.join("family@test.example", "user", site_id=site) as user, fleet.office.client() as door:
        offered = user.post("/shares", json={"site_id": site, "email": "wrong@test.example"}).json()
        (listed,) = user.get("/shares", params={"site": site}).json()["rows"]
        assert (listed["id"], listed["kind"], listed["email"]) == (offered["id"], "invitation", "wrong@test.example")
        assert user.delete(f"/shares/{offered['id']}").status_code == 204
        assert user.get("/shares", params={"site": site}).json()["rows"] == []
        answer = {"token": offered["link"].partition("?token=")[2], "password": "correct horse battery"}
        assert door.post("/invitations/accept", json=answer).status_code == 404
        role = user.post("/invitations", json={"email": "a@test.example", "role": "guest", "site_id": site})
        assert role.status_code == 403
        there = fleet.owner.post("/shares", json={"site_id": foreign, "name": "Link", "expires_days": 3}).json()["id"]
        asked = fleet.owner.post("/shares", json={"site_id": foreign, "email": "b@test.example"}).json()["id"]
        for one in (there, asked, "link-99999", "person-99999", "invitation-99999"):
            gone = user.delete(f"/shares/{one}")
            sentence = f"share {one} does not exist, or is not yours to see"
            assert (gone.status_code, gone.json()["detail"]) == (404, sentence)


@pytest.mark.parametrize("how", ["taken", "disabled", "deleted"])
def test_what_somebody_showed_ends_with_the_right_to_show_it(fleet: Fleet, how: str) -> None:
    site = fleet.site(fleet.north)
    email = f"shows.{how}@test.example"
    with (
        fleet.office.join(email, "user", site_id=site) as user,
        fleet.office.join(f"seen.{how}@test.example", "auditor", organization_id=fleet.south) as seen,
        fleet.office.client() as guest,
    ):
        person = user.get("/session").json()["account_id"]
        link = user.post("/shares", json={"site_id": site, "name": "Link", "expires_days": 3}).json()["link"]
        offered = user.post("/shares", json={"site_id": site, "email": f"seen.{how}@test.example"}).json()
        token = offered["link"].partition("?token=")[2]
        assert seen.post("/invitations/accept", json={"token": token}).status_code == 200
        assert seen.get(f"/sites/{site}").status_code == 200
        assert len(fleet.partner.get("/shares", params={"site": site}).json()["rows"]) == 2
        assert guest.get(f"/shared/{link.rpartition('/')[2]}").status_code == 200
        about = fleet.owner.get(f"/people/{person}")
        version = {"If-Match": about.headers["ETag"]}
        if how == "taken":
            role = about.json()["memberships"][0]["id"]
            assert fleet.partner.delete(f"/people/{person}/memberships/{role}").status_code == 204
        elif how == "disabled":
            fleet.owner.patch(f"/people/{person}", json={"state": "disabled"}, headers=version)
        else:
            assert fleet.owner.delete(f"/people/{person}", headers=version).status_code == 204
        assert guest.get(f"/shared/{link.rpartition('/')[2]}").status_code == 404
        assert seen.get(f"/sites/{site}").status_code == 404
        left = fleet.partner.get("/shares", params={"site": site}).json()["rows"]
        assert [one["kind"] for one in left] == ([] if how == "deleted" else ["link"])
        for one in left:
            assert fleet.partner.delete(f"/shares/{one['id']}").status_code == 204


def test_previews_of_tables_are_not_pushed_out_by_others(fleet: Fleet) -> None:
    site = fleet.site(fleet.north)
    kept = fleet.southern.post("/imports", params={"kind": "sites"}, content=b"name,zone\nA,UTC\n").json()["token"]
    with fleet.office.join("guest@test.example", "guest", site_id=site) as guest:
        refused = guest.post("/imports", params={"kind": "sites"}, content=b"name,zone\nB,UTC\n")
        assert refused.status_code == 403
    for _ in range(25):
        made = fleet.partner.post("/imports", params={"kind": "sites"}, content=b"name,zone\nB,UTC\n")
        assert made.status_code == 200
    assert fleet.southern.post("/imports/apply", json={"token": kept, "kind": "sites"}).json()["created"] == 1


OWN_TEMPLATE = """\
name: secret-meter
revision: 1
title: Secret meter
maker: Nobody
speaks: mqtt
points:
  - address: power
    name: Power
    quantity: electricity
    unit: W
"""


def test_an_own_template_of_another_organization_is_not_used_under_a_grant(fleet: Fleet) -> None:
    made = fleet.owner.post("/templates", json={"organization_id": fleet.north, "text": OWN_TEMPLATE})
    assert made.status_code == 201, made.text
    site = fleet.site(fleet.north)
    fleet.owner.put(f"/sites/{site}/access", json={"organization_id": fleet.south, "changes": True})
    wanted = {"name": "Meter", "site_id": site, "template": "secret-meter"}
    assert fleet.southern.post("/devices", json=wanted).status_code == 404
    device = fleet.partner.post("/devices", json=wanted)
    assert device.status_code == 201, device.text
    path = f"/devices/{device.json()['id']}/rollover"
    assert fleet.southern.post(path, json={"template": "secret-meter"}).status_code == 404
    assert fleet.southern.post(path, json={}).status_code == 404
    assert fleet.southern.post(path, json={"template": "shelly-plug-s"}).status_code == 200
    assert fleet.partner.post(path, json={}).status_code == 200
    with fleet.office.join("manages@test.example", "manager", site_id=site) as manager:
        assert manager.post("/devices", json={**wanted, "prefix": "m"}).status_code == 201
