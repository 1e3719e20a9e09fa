"""The whole matrix over HTTP: every route that speaks of one thing, for every role, on things near and far.

What a role may do is read from the policy; where a thing lies is written down here a second time, by hand.
"""

from __future__ import annotations

import itertools
import re
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest
from litestar.routes import HTTPRoute

from wattstead.registry.authority import Authority, Stand
from wattstead.registry.people import accounts, memberships, sessions
from wattstead.registry.people.proofs import passwords
from wattstead.registry.places.sources import Given
from wattstead.registry.policy import CHANGED_BY_GRANT, SEEN_BY_GRANT, Action, Resource, Right, Role
from wattstead.registry.records import PointDeclaration, Scope

if TYPE_CHECKING:
    from tests.web.conftest import Office

PASSWORD = "correct horse battery"
MISSING = 987_654
OFF = Given(name="Meter", settings={"host": "127.0.0.1"}, enabled=False)
_NOUN = {
    "person_id": Resource.PERSON,
    "point_id": Resource.POINT,
    "key_id": Resource.KEY,
    "site_id": Resource.SITE,
    "space_id": Resource.SPACE,
    "device_id": Resource.DEVICE,
    "source_id": Resource.SOURCE,
    "edge_id": Resource.EDGE,
    "organization_id": Resource.ORGANIZATION,
}
"""What the name of a number in a path stands for; routes with other numbers have tests of their own."""


class Place(NamedTuple):
    """Where a thing lies: the path of its organization, and its site."""

    path: str
    site_id: int = 0


class World:
    """A fleet with two partners and a utility beside it, one person of each role, and things of every kind."""

    def __init__(self, office: Office) -> None:
        registry = self.registry = office.registry
        self.office = office
        self.fleet = registry.organizations()[0]
        self.near = registry.create_organization("Near partner", self.fleet.id)
        self.far = registry.create_organization("Far partner", self.fleet.id)
        self.utility = registry.create_organization("Utility")
        self.things: dict[Resource, dict[int, Place]] = {resource: {} for resource in Resource}
        self.sites = {}
        for organization in (self.near, self.far, self.utility):
            self._furnish(organization.id, organization.path)
        for organization in (self.fleet, self.near, self.far, self.utility):
            self.things[Resource.ORGANIZATION][organization.id] = Place(organization.path)
        site = self.sites[self.near.id]
        self.authorities = {
            "administrator": Authority((Stand(Role.ADMINISTRATOR, "/"),)),
            "owner": Authority((Stand(Role.OWNER, self.fleet.path),)),
            "auditor": Authority((Stand(Role.AUDITOR, self.fleet.path),)),
            "partner": Authority((Stand(Role.PARTNER, self.near.path),)),
            "operator": Authority((Stand(Role.OPERATOR, self.utility.path),)),
            "manager": Authority((Stand(Role.MANAGER, site_id=site),)),
            "user": Authority((Stand(Role.USER, site_id=site),)),
            "guest": Authority((Stand(Role.GUEST, site_id=site),)),
        }
        self.tokens = {name: self._person(name, one.stands[0]) for name, one in self.authorities.items()}
        self.authorities["two places"] = Authority(
            (Stand(Role.PARTNER, self.near.path), Stand(Role.GUEST, site_id=self.sites[self.far.id]))
        )
        self.tokens["two places"] = self._person("two places", *self.authorities["two places"].stands)

    def _furnish(self, organization_id: int, path: str) -> None:
        registry = self.registry
        site = registry.create_site(organization_id, f"Site of {path}", "UTC").id
        self.sites[organization_id] = site
        place = Place(path, site)
        self.things[Resource.SITE][site] = place
        (point,) = registry.create_points(site, [PointDeclaration(address="power", name="Power", unit="W")])
        self.things[Resource.POINT][point] = place
        self.things[Resource.KEY][registry.create_key(site, Scope.WRITE).key.id] = place
        self.things[Resource.DEVICE][registry.create_device(site, "Meter").id] = place
        self.things[Resource.SOURCE][registry.create_source(site, "p1", OFF).id] = place
        self.things[Resource.EDGE][registry.create_edge(site, "Pi").edge.id] = place
        self.things[Resource.SPACE][registry.create_space(site, "Hall", kind="building").id] = place

    def _person(self, name: str, *stands: Stand) -> str:
        """The token of a session of a new person who stands there."""
        now = datetime.now(UTC)
        homes = {one.path: one.id for one in self.registry.organizations()}
        home = next((homes[stand.branch] for stand in stands if stand.branch in homes), self.near.id)
        with self.registry._db.writing() as s:
            email = f"{name.replace(' ', '.')}@people.example"
            account = accounts.create(s, home, email, passwords.hashed(PASSWORD), now)
            for stand in stands:
                memberships.create(
                    s,
                    account.id,
                    stand.role,
                    now,
                    organization_id=homes.get(stand.branch),
                    site_id=stand.site_id or None,
                )
            token = sessions.create(s, account.id, now)
        path = next(one.path for one in self.registry.organizations() if one.id == home)
        site = next((stand.site_id for stand in stands if stand.site_id), 0)
        self.things[Resource.PERSON][account.id] = Place(path, site)
        return token

    def client(self, name: str) -> httpx.Client:
        headers = {"X-Wattstead": "1", "Cookie": f"wattstead_session={self.tokens[name]}", "If-Match": '"1"'}
        return httpx.Client(base_url=self.office.url, headers=headers, timeout=30.0, verify=False)


@pytest.fixture(scope="module")
def world(office: Office) -> World:
    """A server of people of its own, furnished."""
    return World(office)


def _routes(world: World) -> list[tuple[str, str, Right, Resource]]:
    """Method, path, declared right and kind of thing of every route about one thing."""
    found = []
    for route in world.office.web.app.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith("/api/v1/"):
            continue
        names = re.findall(r"\{(\w+):", route.path)
        if not names or names[0] not in _NOUN:
            continue
        for handler in route.route_handlers:
            right = handler.opt.get("right")
            if isinstance(right, Right):
                found += [(str(method), route.path, right, _NOUN[names[0]]) for method in handler.http_methods]
    return sorted(found, key=str)


def _address(path: str, identity: int) -> str:
    return re.sub(r"\{\w+:\w+\}", str(MISSING), re.sub(r"\{\w+:\w+\}", str(identity), path, count=1))


def _expected(authority: Authority, right: Right, noun: Resource, place: Place | None) -> set[int] | None:
    """The statuses that may be answered; None: anything but a refusal."""
    if not authority.reach(right):
        return {403}
    seen = place is not None and authority.may(Right(Action.SEE, noun), place.path, place.site_id)
    if not seen:
        return {404, 400}
    if not authority.may(right, place.path, place.site_id):
        return {403}
    return None


def test_every_route_about_one_thing(world: World) -> None:
    """The far things answer as if they did not exist; near ones only say no to those who may see them."""
    faults = []
    routes = _routes(world)
    assert len(routes) >= 10
    order = {"GET": 0, "PATCH": 1, "POST": 1, "PUT": 1, "DELETE": 2}
    with ExitStack() as open_clients:
        clients = {name: open_clients.enter_context(world.client(name)) for name in world.authorities}
        for method, path, right, noun in sorted(routes, key=lambda row: order[row[0]]):
            for name, authority in world.authorities.items():
                for identity, place in [*world.things[noun].items(), (MISSING, None)]:
                    wanted = _expected(authority, right, noun, place)
                    if wanted is None and method != "GET":
                        continue  # what one may do would change the world; doing it has tests of its own
                    body: Any = None if method in ("GET", "DELETE") else {}
                    status = clients[name].request(method, _address(path, identity), json=body).status_code
                    fits = status in wanted if wanted else status not in (401, 403, 404)
                    if not fits and not (wanted is None and path.count("{") > 1):
                        faults.append(f"{name}: {method} {_address(path, identity)} -> {status}, expected {wanted}")
    assert not faults, "\n".join(faults[:40])


def test_what_is_foreign_answers_as_what_is_missing(world: World) -> None:
    with world.client("partner") as client:
        for method, path, right, noun in _routes(world):
            if not world.authorities["partner"].reach(right):
                continue
            far = next((i for i, place in world.things[noun].items() if place.path == world.far.path), None)
            if far is None:
                continue
            told = []
            for identity in (far, MISSING):
                answer = client.request(method, _address(path, identity), json=None if method == "GET" else {})
                text = re.sub(rf"\b{identity}\b", "N", answer.text)
                told.append((answer.status_code, re.sub(r'"request":"\w+"', "", text)))
            assert told[0] == told[1], (method, path)


@pytest.mark.parametrize("changes", [False, True])
def test_a_grant_carries_what_the_table_says_and_no_more(world: World, changes: bool) -> None:
    """The owner of the fleet at a site of the utility: every route about what is there, the refused ones truly sent."""
    site = world.sites[world.utility.id]
    carried = SEEN_BY_GRANT | CHANGED_BY_GRANT if changes else SEEN_BY_GRANT
    access = f"/api/v1/sites/{site}/access"
    faults, refused = [], 0
    with world.client("administrator") as boss, world.client("owner") as client:
        boss.put(access, json={"organization_id": world.fleet.id, "changes": changes}).raise_for_status()
        try:
            for method, path, right, noun in _routes(world):
                for identity in (i for i, place in world.things[noun].items() if place.site_id == site):
                    if right in carried and method != "GET":
                        continue
                    body: Any = None if method in ("GET", "DELETE") else {}
                    status = client.request(method, _address(path, identity), json=body).status_code
                    wrong = status in (401, 403, 404) and path.count("{") == 1 if right in carried else status != 403
                    refused += right not in carried
                    faults += [f"{method} {path}: {status}"] * wrong
        finally:
            boss.delete(f"{access}/{world.fleet.id}").raise_for_status()
    assert refused > 10 and not faults, "\n".join(faults)


@pytest.mark.parametrize("noun", ["sites", "devices", "people", "organizations"])
def test_lists_and_counts_hold_what_one_may_see_and_no_more(world: World, noun: str) -> None:
    resource = {
        "sites": Resource.SITE, "devices": Resource.DEVICE, "people": Resource.PERSON,
        "organizations": Resource.ORGANIZATION,
    }[noun]  # fmt: skip
    for name, authority in world.authorities.items():
        right = Right(Action.SEE, resource)
        with world.client(name) as client:
            answer = client.get(f"/api/v1/{noun}", params={"limit": 100})
        if not authority.reach(right):
            assert answer.status_code == 403, name
            continue
        assert answer.status_code == 200, (name, answer.text)
        rows = answer.json()["rows"]
        mine = {i for i, place in world.things[resource].items() if authority.may(right, place.path, place.site_id)}
        found = {row["id"] for row in rows}
        assert found & set(world.things[resource]) == mine, name
        assert answer.json()["total"] == len(found), name


@pytest.mark.parametrize(
    "question", ["series?points={}&start=0&end=1&buckets=10", "readings?point={}", "span?points={}"]
)
def test_readings_of_others_do_not_exist(world: World, question: str) -> None:
    see = Right(Action.SEE, Resource.READING)
    for (name, authority), (point, place) in itertools.product(
        world.authorities.items(), world.things[Resource.POINT].items()
    ):
        with world.client(name) as client:
            status = client.get(f"/api/v1/{question.format(point)}").status_code
        if not authority.reach(see):
            assert status == 403, name
        elif not authority.may(see, place.path, place.site_id):
            assert status == 404, (name, question)
        else:
            assert status not in (401, 403, 404), (name, question)


def test_an_operator_sees_customers_once_a_reason_is_told(world: World) -> None:
    site = world.sites[world.utility.id]
    with world.client("operator") as client:
        assert client.get(f"/api/v1/sites/{site}").status_code == 403
        assert "reason" in client.get(f"/api/v1/sites/{site}").json()["detail"]
        assert client.post("/api/v1/reason", json={"reason": "ticket 4711: meter shows nothing"}).status_code in (
            200,
            201,
            204,
        )
        assert client.get(f"/api/v1/sites/{site}").status_code == 200
        assert client.get(f"/api/v1/sites/{world.sites[world.near.id]}").status_code == 404
    assert any("4711" in str(deed.words) for deed in world.registry.trail())


def test_nobody_is_asked_to_sign_in(world: World) -> None:
    with httpx.Client(base_url=world.office.url, verify=False) as client:
        for method, path, _, _ in _routes(world):
            assert client.request(method, _address(path, 1)).status_code in (401, 403), path


def test_the_chain_of_deeds_holds(world: World) -> None:
    assert world.registry.broken_trail() is None
