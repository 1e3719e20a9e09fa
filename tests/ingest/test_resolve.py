"""The resolver of a server, on a real registry: what it answers from memory, what it learns, what it forgets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.migrated import migrated

from wattstead.ingest.errors import KeyUnknown
from wattstead.ingest.resolving.newcomers import Newcomers, Request
from wattstead.ingest.resolving.resolve import RegistryResolver
from wattstead.ingest.resolving.resolver import Resolver
from wattstead.metering.quantity import Kind
from wattstead.registry.errors import RegistryUnavailable
from wattstead.registry.places.keys import Terms
from wattstead.registry.points.declare import PointChange
from wattstead.registry.records import KeyGrant, NewKey, PointDeclaration, Resolution, Scope, Site
from wattstead.registry.registry import Registry

pytestmark = pytest.mark.unit
PASSWORD = "correct horse battery"
OFTEN_S = 0.01
SELDOM_S = 3_600.0


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry(migrated(tmp_path)) as opened:
        opened.first_owner("ada@example.org", PASSWORD)
        yield opened


@pytest.fixture
def site(registry: Registry) -> Site:
    return registry.create_site(1, "Mill", "Europe/Paris")


@pytest.fixture
def key(registry: Registry, site: Site) -> NewKey:
    return registry.create_key(site.id, Scope.WRITE)


@pytest.fixture
def resolver(registry: Registry, key: NewKey) -> Iterator[RegistryResolver]:
    """One that learns of changes only when it is told to."""
    made = RegistryResolver(registry, poll_s=SELDOM_S)
    made.start()
    yield made
    made.close()


def _grant(resolver: RegistryResolver, key: NewKey) -> KeyGrant:
    grant = resolver.key(key.secret)
    assert grant is not None
    return grant


def _take_away(folder: Path) -> None:
    for file in folder.glob("registry.db*"):
        file.unlink()


async def _until(condition: object) -> None:
    assert callable(condition)
    for _ in range(6_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not come true within a minute")


async def test_addresses_become_points(resolver: RegistryResolver, registry: Registry, key: NewKey) -> None:
    grant = _grant(resolver, key)
    first = await resolver.points(grant, ["emon/5/a", "b", "emon/5/a", "influx/W,room=attic/value"])
    assert first.dtype == np.uint32 and first[0] == first[2] and len(set(first.tolist())) == 3
    rows = {row.address: row for row in registry.points()}
    assert rows["emon/5/a"].name == "a" and rows["b"].name == "b"
    influx = rows["influx/W,room=attic/value"]
    assert (influx.name, influx.tags, influx.unit_hint) == ("W attic", {"room": "attic"}, "W")
    again = await resolver.points(grant, ["b", "c"])
    assert again[0] == first[1] and again[1] not in first
    assert (await resolver.points(grant, [])).tolist() == []


async def test_a_point_has_its_own_unit_or_the_one_it_came_with(
    resolver: RegistryResolver, registry: Registry, key: NewKey
) -> None:
    grant = _grant(resolver, key)
    said, silent = (await resolver.points(grant, ["said", "silent"], {"said": "kWh"})).tolist()
    assert await resolver.units([said, silent]) == {said: "kWh", silent: ""}
    registry.change_point(said, PointChange(unit="Wh"))
    registry.change_point(silent, PointChange(unit="V"))
    resolver.refresh()
    assert await resolver.units([said, silent, 999]) == {said: "Wh", silent: "V"}


async def test_known_addresses_need_no_registry(
    resolver: RegistryResolver, registry: Registry, key: NewKey, tmp_path: Path
) -> None:
    grant = _grant(resolver, key)
    known = await resolver.points(grant, ["a", "b"])
    registry.close()
    _take_away(tmp_path)
    (tmp_path / "registry.db").mkdir()
    assert (await resolver.points(grant, ["b", "a"])).tolist() == known[::-1].tolist()
    assert resolver.key(key.secret) == grant
    with pytest.raises(RegistryUnavailable) as raised:
        await resolver.points(grant, ["a", "new"])
    assert raised.value.retryable


async def test_refused_addresses_say_why(resolver: RegistryResolver, registry: Registry, site: Site) -> None:
    made = registry.create_key(site.id, Scope.WRITE, point_limit=2)
    grant = _grant(resolver, made)
    found = await resolver.points(grant, ["a", "x\ny", "b", "c", "z" * 300])
    assert (found == 0).tolist() == [False, True, False, True, True]
    assert "control character" in resolver.refusal(grant, "x\ny")
    assert "limit of 2 points" in resolver.refusal(grant, "c")
    assert "300 characters" in resolver.refusal(grant, "z" * 300)
    registry.change_point_limit(grant.id, 3)
    assert (await resolver.points(grant, ["c"])).tolist() == [0]  # refused for a while without asking again
    resolver.refresh()
    assert (await resolver.points(_grant(resolver, made), ["c"])).all()


async def test_many_requests_at_once_agree(resolver: RegistryResolver, registry: Registry, key: NewKey) -> None:
    grant = _grant(resolver, key)
    names = [[f"p{n % 50}" for n in range(turn, turn + 8)] for turn in range(200)]
    answers = await asyncio.gather(*(resolver.points(grant, some) for some in names))
    merged: dict[str, int] = {}
    for some, answer in zip(names, answers, strict=True):
        for name, point in zip(some, answer.tolist(), strict=True):
            assert merged.setdefault(name, point) == point
    assert {row.address: row.point.id for row in registry.points()} == merged


async def test_many_new_sites_share_transactions(resolver: RegistryResolver, registry: Registry) -> None:
    sites = [registry.create_site(1, f"S{number}", "UTC") for number in range(40)]
    keys = [registry.create_key(site.id, Scope.WRITE) for site in sites]
    resolver.refresh()
    answers = await asyncio.gather(*(resolver.points(_grant(resolver, key), ["a", "b"]) for key in keys))
    assert len({point for answer in answers for point in answer.tolist()}) == 80
    assert all(answer.all() for answer in answers)


async def test_a_request_that_is_given_up_harms_no_other(resolver: RegistryResolver, key: NewKey) -> None:
    grant = _grant(resolver, key)
    tasks = [asyncio.create_task(resolver.points(grant, [f"p{n}"])) for n in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in found[::2])
    assert all(isinstance(one, np.ndarray) and one.all() for one in found[1::2])
    assert (await resolver.points(grant, [f"p{n}" for n in range(20)])).all()


async def test_a_new_key_opens_at_once(resolver: RegistryResolver, registry: Registry, site: Site) -> None:
    made = registry.create_key(site.id, Scope.WRITE)
    assert _grant(resolver, made) == registry.key(made.secret)
    for secret in ("", "x", "0" * 32, "\ud800", made.secret.upper()):
        assert resolver.key(secret) is None


async def test_a_revoked_key_opens_nothing_after_the_next_look(
    resolver: RegistryResolver, registry: Registry, key: NewKey
) -> None:
    grant = _grant(resolver, key)
    registry.revoke_key(grant.id)
    with pytest.raises(KeyUnknown):
        await resolver.points(grant, ["new"])
    resolver.refresh()
    assert resolver.key(key.secret) is None


async def test_changes_are_learnt_without_asking(registry: Registry, key: NewKey, site: Site) -> None:
    resolver: Resolver = (watching := RegistryResolver(registry, poll_s=OFTEN_S))
    watching.start()
    sealed = registry.create_key(site.id, Scope.WRITE, sealed=True)
    (point,) = registry.create_points(site.id, [PointDeclaration(address="a", name="a", kind=Kind.DELTA)])
    ids = np.array([point], np.uint32)
    await _until(lambda: resolver.sealed(sealed.key.id) is not None and resolver.is_delta(ids).all())
    found = resolver.sealed(sealed.key.id)
    assert found is not None and found.secret == sealed.secret and found.grant == registry.key(sealed.secret)
    registry.revoke_key(sealed.key.id)
    registry.revoke_key(key.key.id)
    registry.change_point(point, PointChange(kind=Kind.GAUGE))
    await _until(lambda: resolver.key(key.secret) is None and resolver.sealed(sealed.key.id) is None)
    await _until(lambda: not resolver.is_delta(ids).any())
    watching.close()


async def test_whose_a_point_is(resolver: RegistryResolver, registry: Registry, key: NewKey) -> None:
    grant = _grant(resolver, key)
    other = registry.create_site(1, "Barn", "UTC")
    mine = (await resolver.points(grant, ["a", "b"])).tolist()
    (theirs,) = registry.create_points(other.id, [PointDeclaration(address="a", name="a")])
    ids = np.array([mine[0], theirs, 0, 4_000_000_000, mine[1], 77], np.uint32)
    for _ in range(2):
        assert (await resolver.owned(grant, ids)).tolist() == [True, False, False, False, True, False]
    assert (await resolver.owned(grant, np.zeros(0, np.uint32))).tolist() == []
    assert not resolver.is_delta(ids).any()


async def test_last_use_of_keys_is_noted_at_the_end(registry: Registry, key: NewKey) -> None:
    resolver = RegistryResolver(registry, poll_s=SELDOM_S)
    resolver.start()
    assert registry.keys()[0].last_used is None
    resolver.key(key.secret)
    resolver.close()
    assert registry.keys()[0].last_used is not None


async def test_memory_is_bounded_and_forgotten_sites_are_asked_for_again(registry: Registry) -> None:
    resolver = RegistryResolver(registry, poll_s=SELDOM_S, most_addresses=10)
    resolver.start()
    grants = []
    for number in range(5):
        made = registry.create_key(registry.create_site(1, f"S{number}", "UTC").id, Scope.WRITE)
        grants.append(_grant(resolver, made))
    names = [f"p{n}" for n in range(4)]
    first = [(await resolver.points(grant, names)).tolist() for grant in grants]
    assert [(await resolver.points(grant, names)).tolist() for grant in grants] == first
    many = [f"q{n}" for n in range(30)]  # more than all memory: answered, not kept
    assert (await resolver.points(grants[0], many)).tolist() == (await resolver.points(grants[0], many)).tolist()
    assert len(resolver._addresses) <= 10
    resolver.close()


async def test_another_registry_under_our_feet_is_noticed(registry: Registry, key: NewKey, tmp_path: Path) -> None:
    registry.backup(tmp_path / "backup")
    resolver = RegistryResolver(registry, poll_s=SELDOM_S)
    resolver.start()
    later = registry.create_key(1, Scope.WRITE)
    resolver.refresh()
    old = (await resolver.points(_grant(resolver, later), ["a"])).tolist()
    registry.close()
    _take_away(tmp_path)
    registry.restore(tmp_path / "backup")
    resolver.refresh()
    assert resolver.key(later.secret) is None
    registry.skip_point_ids(100)
    assert (await resolver.points(_grant(resolver, key), ["a"])).tolist() == [101] != old
    resolver.close()


async def test_a_crowd_of_newcomers_shares_transactions() -> None:
    """However many ask at once, each gets its own answer, and the registry is asked few times."""
    asked: list[int] = []

    def resolve(requests: Sequence[Request]) -> list[Resolution]:
        asked.append(len(requests))
        return [Resolution({one: int(one) for one in request.addresses}, {}) for request in requests]

    grant = KeyGrant(1, 7, 1, Scope.WRITE, 100)
    with ThreadPoolExecutor(1) as threads:
        newcomers = Newcomers(resolve, threads)

        async def sender(number: int) -> None:
            await asyncio.sleep(number / 5_000)
            found = await newcomers.resolve(Request(grant, [str(number)]))
            assert found.ids == {str(number): number}

        await asyncio.gather(*(sender(number) for number in range(500)))
    assert sum(asked) == 500
    assert len(asked) < 250


def test_the_key_of_a_device_finds_that_device_alone(
    registry: Registry, site: Site, key: NewKey, resolver: RegistryResolver
) -> None:
    first, second = (registry.create_device(site.id, name).id for name in ("First", "Second"))
    bound = registry.create_key(site.id, Scope.WRITE, terms=Terms(device_id=first))
    (theirs, point) = registry.create_points(
        site.id, [PointDeclaration(address=a, name=a, device_id=d) for a, d in (("theirs", second), ("mine", first))]
    )
    resolver.refresh()
    grant, of_site = _grant(resolver, bound), _grant(resolver, key)

    async def asked(who: KeyGrant, *addresses: str) -> list[int]:
        return [int(found) for found in await resolver.points(who, list(addresses))]

    async def ask() -> None:
        for _ in range(2):
            found = await asked(grant, "theirs", "mine", "new")
            assert found[:2] == [0, point] and found[2] > point
            assert (await asked(of_site, "theirs", "mine")) == [theirs, point]
        assert f"not one of device {first}" in resolver.refusal(grant, "theirs")
        assert registry.point(found[2]).device_id == first
        before = resolver.place(grant)
        registry.change_point(point, PointChange(device_id=second))
        resolver.refresh()
        assert resolver.place(grant) != before and resolver.place(of_site) == site.id
        assert (await asked(grant, "mine", "new")) == [0, found[2]]

    asyncio.run(ask())
