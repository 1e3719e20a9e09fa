"""Resolving: one address is one point for ever, whoever asks, however often, at whatever moment."""

from __future__ import annotations

import multiprocessing
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from wattstead.metering.quantity import Kind, Quantity
from wattstead.registry.errors import AddressInvalid, KeyRevoked, PointLimit
from wattstead.registry.points.resolve import Asked
from wattstead.registry.records import Account, KeyGrant, NewAddress, Scope, Site
from wattstead.registry.registry import Registry


def _addresses(*paths: str) -> list[NewAddress]:
    return [NewAddress(path) for path in paths]


def test_a_new_address_creates_a_gauge_of_unknown_quantity(registry: Registry, grant: KeyGrant, site: Site) -> None:
    found = registry.resolve(grant, [NewAddress("emon/5/power1", unit="kW", tags={"room": "attic"})])
    (row,) = registry.points()
    assert found.ids == {"emon/5/power1": row.point.id} and found.refused == {}
    assert (row.point.kind, row.point.quantity, row.point.unit) == (Kind.GAUGE, Quantity.UNKNOWN, "")
    assert (row.name, row.address, row.unit_hint, row.adopted) == ("power1", "emon/5/power1", "kW", False)
    assert (row.site_id, row.tags, row.point.zone) == (site.id, {"room": "attic"}, "Europe/Paris")


def test_the_same_address_gives_the_same_id(registry: Registry, grant: KeyGrant) -> None:
    first = registry.resolve(grant, _addresses("a", "b"))
    again = registry.resolve(grant, _addresses("b", "c", "a", "c", "b"))
    assert first.ids.items() < again.ids.items()
    assert len(set(again.ids.values())) == 3
    assert registry.look_up(grant.site_id, _addresses("a", "d")).ids == {"a": first["a"]}
    assert len(registry.points()) == 3


def test_an_address_belongs_to_its_site(registry: Registry, grant: KeyGrant, owner: Account) -> None:
    other = registry.create_site(owner.organization_id, "Barn", "UTC")
    theirs = registry.key(registry.create_key(other.id, Scope.WRITE).secret)
    assert theirs is not None
    assert registry.resolve(grant, _addresses("a"))["a"] != registry.resolve(theirs, _addresses("a"))["a"]


def test_bad_names_are_refused_one_by_one(registry: Registry, grant: KeyGrant) -> None:
    bad = ["", "x" * 201, "a\tb", "\ud800", "\x00"]
    found = registry.resolve(grant, _addresses("good", *bad, 'fine\'s "too"'))
    assert set(found.ids) == {"good", 'fine\'s "too"'}
    assert set(found.refused) == set(bad)
    assert all(isinstance(error, AddressInvalid) for error in found.refused.values())


def test_the_limit_of_a_key_refuses_only_what_is_new(registry: Registry, site: Site) -> None:
    made = registry.create_key(site.id, Scope.WRITE, point_limit=3)
    grant = registry.key(made.secret)
    assert grant is not None
    registry.resolve(grant, _addresses("a", "b"))
    found = registry.resolve(grant, _addresses("a", "c", "d", "c", "e", "b"))
    assert set(found.ids) == {"a", "b", "c"}
    assert set(found.refused) == {"d", "e"}
    limit = found.refused["d"]
    assert isinstance(limit, PointLimit) and limit.limit == 3 and "'d'" in str(limit)
    registry.change_point_limit(grant.id, 4)
    assert set(registry.resolve(grant, _addresses("d", "e")).ids) == {"d"}
    assert registry.keys()[0].point_count == 4


def test_a_revoked_key_creates_nothing(registry: Registry, grant: KeyGrant) -> None:
    registry.resolve(grant, _addresses("a"))
    registry.revoke_key(grant.id)
    with pytest.raises(KeyRevoked):
        registry.resolve(grant, _addresses("b"))
    assert [row.address for row in registry.points()] == ["a"]


def test_several_keys_in_one_transaction(registry: Registry, owner: Account) -> None:
    grants = []
    for number in range(4):
        site = registry.create_site(owner.organization_id, f"S{number}", "UTC")
        grants.append(registry.key(registry.create_key(site.id, Scope.WRITE, point_limit=2).secret))
    one, two, three, gone = (grant for grant in grants if grant is not None)
    registry.revoke_key(gone.id)
    asked = [
        Asked(one, _addresses("a", "b")),
        Asked(two, _addresses("a", "b", "c")),
        Asked(gone, _addresses("a")),
        Asked(one, _addresses("b", "\n")),
        Asked(three, []),
    ]
    first, second, refused, third, empty = registry.resolve_many(asked)
    assert isinstance(refused, KeyRevoked)
    assert not isinstance(first, Exception) and not isinstance(second, Exception)
    assert not isinstance(third, Exception) and not isinstance(empty, Exception)
    assert set(first.ids) == {"a", "b"} and set(second.ids) == {"a", "b"} and set(second.refused) == {"c"}
    assert third.ids == {"b": first["b"]} and set(third.refused) == {"\n"}
    assert empty.ids == {}
    assert len({*first.ids.values(), *second.ids.values()}) == 4


def test_many_names_at_once(registry: Registry, site: Site) -> None:
    grant = registry.key(registry.create_key(site.id, Scope.WRITE, point_limit=50_000).secret)
    assert grant is not None
    names = [f"influx/meter,id={i}/power" for i in range(20_000)]
    found = registry.resolve(grant, _addresses(*names))
    assert len(set(found.ids.values())) == len(names)
    random.Random(1).shuffle(names)
    assert registry.resolve(grant, _addresses(*names)).ids == found.ids


def test_odd_tags_and_labels_cost_nobody_a_reading(registry: Registry, grant: KeyGrant) -> None:
    odd = NewAddress("a", name="x\ny", unit="u" * 300, tags={"k" * 500: "v", "empty": "", "": "v", "ok": "yes"})
    registry.resolve(grant, [odd])
    (row,) = registry.points()
    assert (row.name, row.unit_hint, row.tags) == ("a", "", {"ok": "yes"})


def _resolve_in_a_process(url: str, grant: KeyGrant, seed: int) -> dict[str, int]:
    chance = random.Random(seed)
    ids: dict[str, int] = {}
    with Registry(url) as registry:
        for _ in range(20):
            ids.update(registry.resolve(grant, _addresses(*(f"p{chance.randrange(300)}" for _ in range(30)))).ids)
    return ids


def test_concurrent_processes_agree(registry: Registry, grant: KeyGrant, url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        answers = pool.starmap(_resolve_in_a_process, [(url, grant, seed) for seed in range(3)])
    merged: dict[str, int] = {}
    for answer in answers:
        for path, point in answer.items():
            assert merged.setdefault(path, point) == point
    assert len(set(merged.values())) == len(merged)
    assert {row.address: row.point.id for row in registry.points()} == merged
    assert registry.keys()[0].point_count == len(merged) == registry.largest_point_id()


def test_concurrent_threads_never_pass_the_limit(registry: Registry, site: Site) -> None:
    grant = registry.key(registry.create_key(site.id, Scope.WRITE, point_limit=40).secret)
    assert grant is not None
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: registry.resolve(grant, _addresses(*(f"{n}-{i}" for i in range(10)))), range(12)))
    assert len(registry.points()) == 40 == registry.keys()[0].point_count


def test_batches_of_crossing_sites_do_not_wait_for_each_other_for_ever(registry: Registry, owner: Account) -> None:
    grants = []
    for number in range(6):
        site = registry.create_site(owner.organization_id, f"S{number}", "UTC")
        grants.append(registry.key(registry.create_key(site.id, Scope.WRITE).secret))
    known = [grant for grant in grants if grant is not None]

    def resolve(turn: int) -> int:
        order = random.Random(turn).sample(known, len(known))
        answers = registry.resolve_many([Asked(grant, _addresses(f"p{turn % 7}", f"q{turn}")) for grant in order])
        return sum(len(answer.ids) for answer in answers if not isinstance(answer, Exception))

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(resolve, range(60))) == 60 * 6 * 2
    assert len(registry.points()) == 6 * (7 + 60)
