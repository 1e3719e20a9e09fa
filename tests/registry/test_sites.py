"""Sites with their attributes, spaces, grants, shares; what is left of a site that goes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.registry.conftest import Clock

from wattstead.registry.authority import Beside, Reach
from wattstead.registry.errors import AttributeInvalid, Conflict, LinkInvalid, NameInvalid, Stale, Unknown, ZoneUnknown
from wattstead.registry.people import accounts, memberships
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import Account, NewAddress, PointDeclaration, Scope, Site
from wattstead.registry.registry import Registry

FULL: dict[str, object] = {
    "customer_number": "C-0042", "address": "1 Rue du Moulin", "city": "Lyon", "postal_code": "69001", "country": "FR",
    "latitude": 45.76, "longitude": 4.83, "delivery_point": "30001234567890", "subscription_number": "S1",
    "subscribed_power_w": 9000.0, "hourly_maximum_wh": 8500.0, "dwelling": "house", "occupants": 4, "area_m2": 120.5,
    "heating": "heat pump", "eligibility_phase": "two", "business_case": "B", "cluster": "west", "peak_power_w": 6000.0,
    "tilt_deg": 30.0, "azimuth_deg": 180.0, "inverter": "Sun 6", "installed_on": date(2024, 5, 1), "state": "active",
}  # fmt: skip


def test_every_attribute_of_a_site(registry: Registry, owner: Account) -> None:
    made = registry.create_site(owner.organization_id, "Mill", "Europe/Paris", attributes=FULL)
    assert {name: getattr(made, name) for name in FULL} == FULL
    texts = registry.change_site(
        made.id, attributes={"installed_on": "2025-02-28", "tilt_deg": "12,5", "occupants": ""}
    )
    assert (texts.installed_on, texts.tilt_deg, texts.occupants) == (date(2025, 2, 28), 12.5, None)
    assert texts.version == made.version + 1
    words = registry.trail(resource=Resource.SITE, resource_id=made.id)[0].words["changes"]
    assert words == {"installed_on": ["2024-05-01", "2025-02-28"], "occupants": [4, None], "tilt_deg": [30.0, 12.5]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("latitude", 90.1), ("longitude", -181), ("tilt_deg", 91), ("azimuth_deg", -1), ("occupants", 2.5),
        ("occupants", -1), ("area_m2", "big"), ("area_m2", "nan"), ("area_m2", "1e999"), ("installed_on", "2024-02-30"),
        ("installed_on", "0001-01-01"), ("state", "asleep"), ("city", "a\x00"), ("city", "x" * 201), ("city", 7),
        ("organization_id", 1), ("version", 9), ("photo", "../x"), ("id", 1), ("created", "2024-01-01"),
        ("subscribed_power_w", True), ("zone", "Mars/Base"), ("name", ""),
    ],
)  # fmt: skip
def test_what_an_attribute_cannot_be(registry: Registry, site: Site, name: str, value: object) -> None:
    with pytest.raises((AttributeInvalid, NameInvalid, ZoneUnknown)):
        registry.change_site(site.id, attributes={name: value})
    assert registry.site(site.id) == site


def test_a_stale_change_changes_nothing(registry: Registry, site: Site) -> None:
    registry.change_site(site.id, attributes={"city": "Lyon"}, version=site.version)
    with pytest.raises(Stale):
        registry.change_site(site.id, attributes={"city": "Nice"}, version=site.version)
    assert registry.site(site.id).city == "Lyon"


def test_a_disabled_site_reads_and_writes_no_more(registry: Registry, site: Site) -> None:
    write, read = (registry.create_key(site.id, scope).secret for scope in (Scope.WRITE, Scope.READ))
    before = registry.generation()
    registry.change_site(site.id, attributes={"state": "disabled"})
    assert registry.key(write) is None
    assert registry.key(read) is not None
    assert len(registry.keys_since(before)) == 2


def test_a_tree_of_spaces(registry: Registry, site: Site, owner: Account) -> None:
    building = registry.create_space(site.id, "Hall", kind="building", area_m2=900.0)
    floor = registry.create_space(site.id, "Ground floor", building.id, kind="floor")
    line = registry.create_space(site.id, "Line 4", floor.id, kind="line")
    other = registry.create_space(site.id, "Yard")
    assert [one.name for one in registry.spaces(site.id)] == ["Hall", "Ground floor", "Line 4", "Yard"]
    moved = registry.change_space(floor.id, parent_id=other.id, version=floor.version)
    assert moved.path == f"/{other.id}/{floor.id}/"
    assert registry.space(line.id).path == f"/{other.id}/{floor.id}/{line.id}/"
    for parent in (floor.id, line.id):
        with pytest.raises(Conflict):
            registry.change_space(floor.id, parent_id=parent)
    with pytest.raises(Conflict):
        registry.delete_space(floor.id)
    elsewhere = registry.create_site(owner.organization_id, "Elsewhere", "UTC")
    foreign = registry.create_space(elsewhere.id, "Foreign")
    with pytest.raises(Unknown):
        registry.change_space(floor.id, parent_id=foreign.id)
    with pytest.raises(Unknown):
        registry.create_space(site.id, "Room", foreign.id)
    (point,) = registry.create_points(site.id, [PointDeclaration(address="a", name="a")])
    registry.assign_points([point], line.id)
    with pytest.raises(Unknown):
        registry.assign_points([point], foreign.id)
    registry.delete_space(line.id)
    assert len(registry.points(site_ids=[site.id])) == 1


def test_a_grant_beside_the_tree(registry: Registry, site: Site, owner: Account) -> None:
    other = registry.create_organization("Other", None)
    sees, changes = Reach((other.path,)), Reach((other.path,), beside=Beside.CHANGEABLE)
    assert registry.sites(sees) == []
    registry.grant_site(site.id, other.id)
    assert [one.id for one in registry.sites(sees)] == [site.id]
    assert registry.sites(changes) == []
    registry.grant_site(site.id, other.id, changes=True)
    assert [one.id for one in registry.sites(changes)] == [site.id]
    assert [(one.organization, one.changes) for one in registry.site_grants(site.id)] == [("Other", True)]
    registry.end_site_grant(site.id, other.id)
    assert registry.sites(sees) == []
    with pytest.raises(Unknown):
        registry.end_site_grant(site.id, other.id)


def test_a_link_ends(registry: Registry, site: Site, clock: Clock) -> None:
    made = registry.share_link(site.id, "For Eve", clock() + timedelta(days=2))
    found = registry.guest(made.token)
    assert found is not None
    assert found.site_id == site.id
    assert registry.guest(made.token[:-1]) is None
    before = registry.generation()
    registry.end_share_link(made.link.id)
    assert registry.generation() > before
    assert registry.guest(made.token) is None
    assert registry.share_links(site.id) == []
    other = registry.share_link(site.id, "Short", clock() + timedelta(hours=1))
    clock.pass_(timedelta(hours=1))
    assert registry.guest(other.token) is None
    for wrong in (clock(), clock() + timedelta(days=400)):
        with pytest.raises(AttributeInvalid):
            registry.share_link(site.id, "Wrong", wrong)


def test_a_link_into_a_closed_branch(registry: Registry, site: Site, owner: Account, clock: Clock) -> None:
    made = registry.share_link(site.id, "For Eve", clock() + timedelta(days=2))
    registry.disable_organization(owner.organization_id)
    assert registry.guest(made.token) is None


def test_a_share_with_a_person_until_a_day(registry: Registry, site: Site, owner: Account, clock: Clock) -> None:
    with registry._db.writing() as session:
        eve = accounts.create(session, owner.organization_id, "eve@test.example", "", clock(), verified=clock()).id
    assert registry.share_with(site.id, "nobody@test.example") is None
    made = registry.share_with(site.id, "Eve@test.example", clock() + timedelta(days=1))
    assert made is not None

    def reach() -> Reach:
        with registry._db.reading() as session:
            return memberships.authority(session, eve, clock()).reach(Right(Action.SEE, Resource.READING))

    assert reach() == Reach((), (site.id,))
    clock.pass_(timedelta(days=1))
    assert not reach()
    again = registry.share_with(site.id, "eve@test.example")
    assert again is not None
    assert reach()
    registry.end_share(again.id)
    assert not reach()
    (owners,) = [one for one in _memberships(registry, owner.id) if one[1] == Role.OWNER.value]
    with pytest.raises(Unknown):
        registry.end_share(owners[0])


def _memberships(registry: Registry, account_id: int) -> list[tuple[int, str]]:
    with registry._db.reading() as session:
        return [(one.id, one.role) for one in memberships.memberships(session) if one.account_id == account_id]


def test_a_site_goes_with_all_that_is_in_it(registry: Registry, site: Site, owner: Account, clock: Clock) -> None:
    key = registry.create_key(site.id, Scope.WRITE)
    grant = registry.key(key.secret)
    assert grant is not None
    registry.resolve(grant, [NewAddress("a", tags={"k": "v"})])
    device = registry.create_device(site.id, "Meter", tags={"k": "v"})
    space = registry.create_space(site.id, "Hall")
    registry.create_space(site.id, "Floor", space.id)
    registry.create_key(site.id, Scope.READ)
    with pytest.raises(Conflict, match="keys that may still send"):
        registry.delete_site(site.id)
    for one in registry.keys(site.id):
        registry.revoke_key(one.id)
    clock.pass_(timedelta(seconds=11))
    largest = registry.largest_point_id()
    registry.delete_site(site.id)
    assert registry.sites() == []
    assert registry.points() == []
    assert registry.keys() == []
    with pytest.raises(Unknown):
        registry.device(device.id)
    assert registry.largest_point_id() == largest
    assert registry.trail(resource=Resource.SITE, resource_id=site.id)[0].action == "delete"


def test_a_site_is_handed_over(registry: Registry, site: Site, owner: Account) -> None:
    other = registry.create_organization("Other", None)
    device = registry.create_device(site.id, "Meter")
    secret = registry.create_key(site.id, Scope.WRITE).secret
    registry.grant_site(site.id, other.id)
    handed = registry.hand_over_site(site.id, other.id, version=site.version).site
    assert handed.organization_id == other.id
    assert registry.device(device.id).organization_id == other.id
    assert registry.site_grants(site.id) == []
    assert registry.sites(Reach((f"/{owner.organization_id}/",))) == []
    grant = registry.key(secret)
    assert grant is not None
    assert grant.organization_id == other.id


def test_a_site_that_is_handed_over_leaves_no_people_of_the_former_branch_behind(
    registry: Registry, owner: Account, clock: Clock
) -> None:
    north, south = (registry.create_organization(name, owner.organization_id) for name in ("North", "South"))
    site, other = (registry.create_site(north.id, name, "UTC") for name in ("Mill", "Barn"))
    code = registry.create_edge(site.id, "Pi").code
    made: dict[str, int] = {}
    with registry._db.writing() as s:
        for name in ("installs", "lives", "has two", "was here"):
            person = accounts.create(s, north.id, f"{name.replace(' ', '.')}@test.example", "", clock())
            made[name] = person.id
            expires = clock() - timedelta(days=1) if name == "was here" else None
            memberships.create(s, person.id, Role.USER, clock(), site_id=site.id, expires=expires)
        memberships.create(s, made["installs"], Role.PARTNER, clock(), organization_id=north.id)
        memberships.create(s, made["has two"], Role.USER, clock(), site_id=other.id)
    registry.hand_over_site(site.id, south.id)
    assert {m.account_id for m, _, _ in registry.site_people(site.id)} == {made["lives"], made["has two"]}
    homes = {name: registry.person(None, one).account.organization_id for name, one in made.items()}
    assert homes == {"installs": north.id, "lives": south.id, "has two": north.id, "was here": north.id}
    told = [(one.action, one.resource_id) for one in registry.trail(resource=Resource.PERSON)]
    assert {("take", made["installs"]), ("hand over", made["lives"])} <= set(told)
    assert registry.broken_trail() is None
    with pytest.raises(LinkInvalid):
        registry.join_edge(code, "signing", "sealing")
