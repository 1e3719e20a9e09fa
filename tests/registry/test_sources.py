"""Sources: kept with sealed secrets and a key of their own; what becomes of them when sites and devices go."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from wattstead.registry.authority import Reach
from wattstead.registry.errors import AttributeInvalid, Conflict, NameInvalid, Stale, Unknown
from wattstead.registry.places import sources
from wattstead.registry.places.sources import Given
from wattstead.registry.policy import Resource, Scope
from wattstead.registry.records import NewAddress, Site, Source
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal

if TYPE_CHECKING:
    from conftest import Clock

SECRET = "hunter2-und-Ärger"
GIVEN = Given(name="Cellar", settings={"host": "meter.example", "port": 2001}, secrets={"password": SECRET})


@pytest.fixture
def made(registry: Registry, site: Site) -> Source:
    return registry.create_source(site.id, "p1", GIVEN)


def test_a_source_is_kept_as_it_was_told(registry: Registry, site: Site, made: Source) -> None:
    assert (made.name, made.protocol, made.enabled, made.version) == ("Cellar", "p1", True, 1)
    assert made.settings == {"host": "meter.example", "port": 2001} and made.secrets == ("password",)
    assert made.past_days == sources.PAST_DAYS and made.rate == 0
    assert registry.source(made.id) == made == registry.sources(site_id=site.id)[0]
    state = registry.source_state(made.id)
    assert state.secrets == {"password": SECRET} and SECRET not in repr(state)
    assert state.grant is not None and (state.grant.site_id, state.grant.scope) == (site.id, Scope.WRITE)


def test_no_secret_lies_open_in_the_database_or_the_trail(registry: Registry, url: str, made: Source) -> None:
    registry.change_source(made.id, Given(secrets={"password": SECRET + "2", "token": SECRET}))
    with registry._db.connected() as connection:
        asked = [f'SELECT * FROM "{table}"' for table in ("source", "trail_words", "key")]
        found = str([row for question in asked for row in connection.exec_driver_sql(question)])
    assert SECRET not in found and SECRET not in str(registry.trail())
    told = registry.trail(resource=Resource.SOURCE)[0].words["changes"]
    assert told["secrets told anew"] == [None, ["password", "token"]]  # type: ignore[index]


def test_its_key_is_nobodys(registry: Registry, site: Site, made: Source) -> None:
    assert made.key_id not in [key.id for key in registry.keys(site.id)]
    for attempt in (registry.revoke_key, registry.rotate_key):
        with pytest.raises(Conflict, match=f"source {made.id}'s own"):
            attempt(made.key_id)


def test_points_appear_under_its_key_up_to_its_limit(registry: Registry, made: Source) -> None:
    grant = registry.source_state(made.id).grant
    assert grant is not None
    found = registry.resolve(grant, [NewAddress("p1/gas")])
    assert registry.point(found["p1/gas"]).site_id == made.site_id
    registry.change_point_limit(made.key_id, 1)
    assert "p1/water" in registry.resolve(grant, [NewAddress("p1/water")]).refused


def test_changes_name_a_version_and_reach_whoever_watches(registry: Registry, made: Source) -> None:
    before = registry.generation()
    changed = registry.change_source(made.id, Given(name="Attic", enabled=False, rate=5), version=1)
    assert (changed.name, changed.enabled, changed.rate, changed.version) == ("Attic", False, 5.0, 2)
    assert changed.settings == made.settings and changed.secrets == ("password",)
    assert [one.source.name for one in registry.sources_since(before)] == ["Attic"]
    assert registry.sources_since(registry.generation()) == []
    with pytest.raises(Stale):
        registry.change_source(made.id, Given(name="Roof"), version=1)
    forgotten = registry.change_source(made.id, Given(secrets={"password": None}))
    assert forgotten.secrets == () and registry.source_state(made.id).secrets == {}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (Given(name=""), NameInvalid),
        (Given(name="a", past_days=-1), AttributeInvalid),
        (Given(name="a", rate=1e12), AttributeInvalid),
        (Given(name="a", device_id=99), Unknown),
        (Given(name="a", settings={"host": "a\0b"}), AttributeInvalid),
        (Given(name="a", settings={"host": "a" * 300_000}), AttributeInvalid),
    ],
)
def test_a_source_that_cannot_be(registry: Registry, site: Site, given: Given, error: type[Exception]) -> None:
    with pytest.raises(error):
        registry.create_source(site.id, "p1", given)
    assert registry.source_ids() == [] and registry.keys(site.id) == []


def test_a_site_has_no_more_than_so_many(registry: Registry, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_AT_SITE", 2)
    for _ in range(2):
        registry.create_source(site.id, "p1", GIVEN)
    with pytest.raises(Conflict, match="the most"):
        registry.create_source(site.id, "p1", GIVEN)


def test_another_installation_opens_no_secret(registry: Registry, url: str, made: Source) -> None:
    with Registry(url, seal=Seal(b"x" * 32)) as other:
        (state,) = other.sources_since(0)
    assert state.secrets == {} and "enter them again" in state.fault


def test_a_removed_source_leaves_its_points_and_ends_its_key(registry: Registry, made: Source) -> None:
    grant = registry.source_state(made.id).grant
    assert grant is not None
    point = registry.resolve(grant, [NewAddress("p1/gas")])["p1/gas"]
    registry.delete_source(made.id, version=1)
    assert registry.source_ids() == [] and registry.point(point).address == "p1/gas"
    assert registry.key_of(made.key_id).revoked is not None
    with pytest.raises(Unknown):
        registry.source(made.id)


def test_at_a_disabled_site_it_may_nothing(registry: Registry, site: Site, made: Source) -> None:
    before = registry.generation()
    registry.change_site(site.id, attributes={"state": "disabled"})
    (state,) = registry.sources_since(before)
    assert state.grant is None
    registry.change_site(site.id, attributes={"state": "active"})
    assert registry.source_state(made.id).grant is not None


def test_a_site_with_sources_goes_when_they_are_gone(
    registry: Registry, site: Site, made: Source, clock: Clock
) -> None:  # fmt: skip
    grant = registry.source_state(made.id).grant
    assert grant is not None
    registry.resolve(grant, [NewAddress("p1/gas")])
    with pytest.raises(Conflict, match="1 of them of sources"):
        registry.delete_site(site.id)
    registry.delete_source(made.id)
    clock.pass_(timedelta(seconds=11))
    registry.delete_site(site.id)
    assert registry.sites() == []


def test_a_site_without_points_takes_its_sources_along(registry: Registry, site: Site, made: Source) -> None:
    registry.delete_site(site.id)
    assert registry.source_ids() == []


def test_a_removed_device_takes_its_sources_along(registry: Registry, site: Site, made: Source) -> None:
    device = registry.create_device(site.id, "Meter")
    own = registry.create_source(site.id, "p1", Given(name="own", device_id=device.id))
    grant = registry.source_state(own.id).grant
    assert grant is not None and grant.device_id == device.id
    registry.delete_device(device.id)
    assert registry.source_ids() == [made.id] and registry.key_of(own.key_id).revoked is not None
    assert [deed.action for deed in registry.trail(resource=Resource.SOURCE, resource_id=own.id)] == [
        "delete",
        "create",
    ]


@pytest.mark.parametrize("anywhere", [True, False])
def test_a_device_that_moves_leaves_its_sources_behind_and_off(
    registry: Registry, site: Site, anywhere: bool
) -> None:  # fmt: skip
    """They hold addresses and passwords of the old home's network, which are not the new one's to have."""
    device = registry.create_device(site.id, "Meter")
    own = registry.create_source(site.id, "p1", Given(name="own", device_id=device.id, secrets={"password": SECRET}))
    other = registry.create_site(site.organization_id, "Elsewhere", "UTC")
    registry.move_device(device.id, other.id if anywhere else None)
    left = registry.source(own.id)
    assert (left.site_id, left.device_id, left.enabled, left.secrets) == (site.id, None, False, ("password",))
    state = registry.source_state(own.id)
    assert state.grant is not None and (state.grant.site_id, state.grant.device_id) == (site.id, None)
    assert registry.sources(site_id=other.id) == []


def test_a_source_goes_along_with_a_site_that_is_handed_over(registry: Registry, site: Site, made: Source) -> None:
    other = registry.create_organization("Others")
    registry.hand_over_site(site.id, other.id)
    state = registry.source_state(made.id)
    assert state.source.enabled and state.grant is not None and state.grant.organization_id == other.id


def test_reach_holds_for_sources_too(registry: Registry, site: Site, made: Source) -> None:
    elsewhere = registry.create_site(site.organization_id, "Elsewhere", "UTC")
    assert registry.sources(Reach(sites=(elsewhere.id,))) == []
    assert [one.id for one in registry.sources(Reach(sites=(site.id,)))] == [made.id]
    assert registry.within(Resource.SOURCE, made.id, Reach(sites=(site.id,)), Reach(sites=(elsewhere.id,))) == [
        True,
        False,
    ]
