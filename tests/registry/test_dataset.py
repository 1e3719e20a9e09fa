"""The data set: its identity, the generation that caches compare, point ids that are never given twice."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from wattstead.metering.quantity import Kind
from wattstead.registry.points.declare import PointChange
from wattstead.registry.records import KeyGrant, NewAddress, PointDeclaration, Scope, Site
from wattstead.registry.registry import Registry
from wattstead.registry.storage.database import Database


def test_identity_is_made_once(registry: Registry, url: str) -> None:
    with Registry(url) as again:
        again.migrate()
        assert again.identity() == registry.identity()
    assert len(registry.identity()) == 32


def test_generation_grows_with_what_caches_must_see(registry: Registry, site: Site) -> None:
    key = registry.create_key(site.id, Scope.WRITE).key
    (point,) = registry.create_points(site.id, [PointDeclaration(address="a", name="a")])
    changes = [
        lambda: registry.create_key(site.id, Scope.READ),
        lambda: registry.revoke_key(key.id),
        lambda: registry.create_site(site.organization_id, "Barn", "UTC"),
        lambda: registry.change_site(site.id, zone="Asia/Kathmandu"),
        lambda: registry.create_points(site.id, [PointDeclaration(address="b", name="b")]),
        lambda: registry.change_point(point, PointChange(name="attic")),
        lambda: registry.change_point_limit(registry.keys()[1].id, 5),
    ]
    for change in changes:
        before = registry.generation()
        change()
        assert registry.generation() > before


def test_generation_does_not_grow_with_new_addresses(registry: Registry, grant: KeyGrant) -> None:
    before = registry.generation()
    registry.resolve(grant, [NewAddress("a"), NewAddress("b")])
    assert registry.generation() == before


def test_changed_points_are_told_by_generation(registry: Registry, site: Site, grant: KeyGrant) -> None:
    appeared = registry.resolve(grant, [NewAddress("x")])["x"]
    (declared,) = registry.create_points(site.id, [PointDeclaration(address="a", name="a", kind=Kind.DELTA)])
    start = registry.generation()
    assert registry.points_changed_since(start) == []
    assert registry.deltas_since(0) == {declared: True}
    registry.change_point(appeared, PointChange(kind=Kind.DELTA))
    registry.change_point(declared, PointChange(kind=Kind.GAUGE))
    assert [row.point.id for row in registry.points_changed_since(start)] == sorted([appeared, declared])
    assert registry.deltas_since(start) == {appeared: True, declared: False}


def test_a_site_that_moves_changes_its_points(registry: Registry, site: Site) -> None:
    registry.create_points(site.id, [PointDeclaration(address="a", name="a")])
    start = registry.generation()
    registry.change_site(site.id, note="seen")
    assert registry.points_changed_since(start) == []
    registry.change_site(site.id, zone="Australia/Lord_Howe")
    (row,) = registry.points_changed_since(start)
    assert row.point.zone == "Australia/Lord_Howe"


def test_ids_of_deleted_points_are_not_given_again(registry: Registry, grant: KeyGrant, url: str) -> None:
    first = registry.resolve(grant, [NewAddress(f"p{i}") for i in range(5)])
    database = Database(url)
    with database.connected() as connection:
        connection.execute(text("DELETE FROM address"))
        connection.execute(text("DELETE FROM point"))
    database.close()
    assert registry.largest_point_id() == max(first.ids.values()) == 5
    assert registry.resolve(grant, [NewAddress("p0")])["p0"] == 6


def test_ids_can_be_skipped_past_those_of_a_newer_store(registry: Registry, grant: KeyGrant) -> None:
    registry.skip_point_ids(1_000)
    assert registry.largest_point_id() == 1_000
    registry.skip_point_ids(10)
    assert registry.resolve(grant, [NewAddress("a")])["a"] == 1_001


def test_a_batch_that_fails_gives_no_ids_away(registry: Registry, grant: KeyGrant, site: Site) -> None:
    with pytest.raises(Exception, match="at least one character"):
        registry.create_points(
            site.id, [PointDeclaration(address="a", name="a"), PointDeclaration(address="b", name="")]
        )
    assert registry.points() == []
    assert registry.resolve(grant, [NewAddress("a")])["a"] == 1


def test_what_is_new_or_changed_since_makes_the_whole(registry: Registry, site: Site, grant: KeyGrant) -> None:
    """Whoever asks again and again for news knows what all points mean, as asked for at once."""
    barn = registry.create_site(site.organization_id, "Barn", "Europe/Paris")
    steps = [
        lambda: registry.create_points(barn.id, [PointDeclaration(address="a", name="a", kind=Kind.REGISTER)]),
        lambda: registry.resolve(grant, [NewAddress("b"), NewAddress("c")]),
        lambda: registry.change_point(registry.point_ids(site_ids=[site.id])[0], PointChange(kind=Kind.DELTA)),
        lambda: registry.change_site(barn.id, zone="Asia/Kathmandu"),
        lambda: registry.resolve(grant, [NewAddress("d")]),
        lambda: registry.change_site(barn.id, name="Old barn"),
        lambda: registry.revoke_key(grant.id),
    ]
    known, seen = {point.id: point for point in registry.meanings()}, registry.counters()
    for step in steps:
        step()
        counters = registry.counters()
        news = registry.meanings(seen)
        known |= {point.id: point for point in news}
        seen = counters
        assert list(known.values()) == [row.point for row in registry.points()] == registry.meanings()
        assert registry.meanings(seen) == []
    assert len(known) == 4
