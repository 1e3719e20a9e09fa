"""Points: listing them by site, id, address and tags, against a list in Python that does the same."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from wattstead.registry.authority import Reach
from wattstead.registry.errors import NameInvalid, Unknown
from wattstead.registry.people.memberships import authority_of_key
from wattstead.registry.points.tags import TagFilterInvalid
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import Account, KeyGrant, PointDeclaration, PointRow, Scope, Site, TagFilter
from wattstead.registry.registry import Registry

Matches = Callable[[str], bool]
ODD = ["it's", 'a "quoted" one', "%", "_", "\\", "Zürich", "電力", "\U0010ffff", "a", "ab", "abc", "B", "b c", "é"]


def _declared(*addresses: str) -> list[PointDeclaration]:
    return [PointDeclaration(address=address, name=address.upper()) for address in addresses]


def test_points_of_sites_and_by_id(registry: Registry, site: Site, owner: Account) -> None:
    other = registry.create_site(owner.organization_id, "Barn", "UTC")
    ids = registry.create_points(site.id, _declared("a", "b"))
    theirs = registry.create_points(other.id, _declared("a"))
    assert [row.point.id for row in registry.points()] == ids + theirs
    assert [row.address for row in registry.points(site_ids=[site.id])] == ["a", "b"]
    assert registry.point_ids(point_ids=[theirs[0], ids[1], 99]) == [ids[1], theirs[0]]
    assert registry.points(site_ids=[]) == [] == registry.points(point_ids=[])
    assert registry.point_ids(point_ids=range(ids[0], ids[1] + 1)) == ids
    assert registry.owners_of_points([*ids, *theirs, 99]) == {
        ids[0]: (site.id, 0), ids[1]: (site.id, 0), theirs[0]: (other.id, 0),
    }  # fmt: skip
    row = registry.point(ids[0])
    assert (row.name, row.address, row.point.zone, row.site_id) == ("A", "a", "Europe/Paris", site.id)


@pytest.mark.parametrize("number", [0, -1, 99, 2**31, 2**40, 2**63, 2**64, 2**80])
def test_ids_that_do_not_exist(registry: Registry, grant: KeyGrant, number: int) -> None:
    assert registry.points(point_ids=[number]) == [] == registry.points(site_ids=[number])
    assert registry.sites(site_ids=[number]) == [] and registry.owners_of_points([number]) == {}
    assert registry.devices(number) == [] == registry.keys(number)
    for ask in (registry.point, registry.revoke_key):
        with pytest.raises(Unknown):
            ask(number)


def test_a_viewer_sees_only_what_is_its_own(registry: Registry, site: Site, owner: Account, grant: KeyGrant) -> None:
    partner = registry.create_organization("Partner", owner.organization_id)
    stranger = registry.create_organization("Stranger")
    theirs = registry.create_site(partner.id, "Theirs", "UTC", tags={"k": "v"})
    foreign = registry.create_site(stranger.id, "Foreign", "UTC", tags={"k": "v"})
    mine, sub, far = (registry.create_points(s.id, _declared("a"))[0] for s in (site, theirs, foreign))
    branch, own = Reach((f"/{owner.organization_id}/",)), Reach(sites=(grant.site_id,))
    assert registry.point_ids(reach=branch) == [mine, sub]
    assert registry.point_ids(reach=own) == [mine]
    assert registry.point_ids(reach=branch, point_ids=[far, sub]) == [sub]
    assert registry.point_ids(reach=branch, site_ids=[foreign.id]) == []
    assert registry.point_ids(reach=branch, where=[TagFilter("k", equals="v")]) == [sub]
    assert registry.grouped_points(["k"], reach=branch) == {("",): [mine], ("v",): [sub]}
    assert [s.id for s in registry.sites(branch)] == [site.id, theirs.id]
    assert [s.id for s in registry.sites(own)] == [site.id]
    assert registry.sites(Reach()) == [] == registry.point_ids(reach=Reach())


def test_addresses_by_their_beginning(registry: Registry, site: Site) -> None:
    last = "emon/5/\U0010ffff"
    registry.create_points(site.id, _declared("emon/5/a", "emon/50/b", "emon/5", "influx/x", "emoñ/5", last, "\ud7ffx"))

    def found(prefix: str) -> list[str]:
        return sorted(row.address for row in registry.points(address_prefix=prefix))

    assert found("emon/5/") == ["emon/5/a", last] and found(last) == [last]
    assert found("emon/") == sorted(["emon/5/a", "emon/50/b", "emon/5", last])
    assert found("emoñ") == ["emoñ/5"] and found("\ud7ff") == ["\ud7ffx"]
    assert found("none") == [] == found("\U0010ffff")
    with pytest.raises(NameInvalid):
        found("\x00")


def test_filters_give_what_a_list_in_python_gives(registry: Registry, owner: Account) -> None:
    chance = random.Random(7)
    rows = _furnished(registry, owner, chance)
    site_tags = {site.id: site.tags for site in registry.sites()}
    for _ in range(60):
        chosen = [_filter(chance) for _ in range(chance.randrange(1, 4))]
        expected = [
            row.point.id
            for row in rows
            if all((value := _tag(row, site_tags, one.key)) is not None and matches(value) for one, matches in chosen)
        ]
        assert registry.point_ids(where=[one for one, _ in chosen]) == expected, chosen


def test_groups_are_what_a_list_in_python_gives(registry: Registry, owner: Account) -> None:
    chance = random.Random(8)
    rows = _furnished(registry, owner, chance)
    site_tags = {site.id: site.tags for site in registry.sites()}
    for keys in (["k0"], ["k0", "k1"], ["k2", "k0", "absent"], []):
        expected: dict[tuple[str, ...], list[int]] = {}
        for row in rows:
            group = tuple(_tag(row, site_tags, key) or "" for key in keys)
            expected.setdefault(group, []).append(row.point.id)
        found = registry.grouped_points(keys)
        assert found == expected and list(found) == sorted(found)


def _furnished(registry: Registry, owner: Account, chance: random.Random) -> list[PointRow]:
    for number in range(4):
        site = registry.create_site(owner.organization_id, f"S{number}", "UTC", tags=_tags(chance))
        declared = [PointDeclaration(address=f"p{n}", name=f"p{n}", tags=_tags(chance)) for n in range(60)]
        registry.create_points(site.id, declared)
    return registry.points()


def _tags(chance: random.Random) -> dict[str, str]:
    return {f"k{n}": chance.choice(ODD) for n in range(4) if chance.random() < 0.6}


def _filter(chance: random.Random) -> tuple[TagFilter, Matches]:
    key, value = f"k{chance.randrange(5)}", chance.choice(ODD)
    some = tuple(chance.sample(ODD, 3))
    return chance.choice(
        [
            (TagFilter(key, equals=value), lambda found: found == value),
            (TagFilter(key, among=some), lambda found: found in some),
            (TagFilter(key, prefix=value), lambda found: found.startswith(value)),
            (TagFilter(key, prefix=""), lambda found: True),
        ]
    )


def _tag(row: PointRow, site_tags: dict[int, dict[str, str]], key: str) -> str | None:
    return row.tags.get(key, site_tags[row.site_id].get(key))


@pytest.mark.parametrize(
    "wrong", [TagFilter("k"), TagFilter("k", equals="a", prefix="b"), TagFilter("k", among=(), prefix="")]
)
def test_a_filter_has_exactly_one_condition(registry: Registry, wrong: TagFilter) -> None:
    with pytest.raises(TagFilterInvalid):
        registry.points(where=[wrong])


def test_filters_that_match_nothing(registry: Registry, grant: KeyGrant) -> None:
    registry.create_points(grant.site_id, _declared("a"))
    assert registry.point_ids(where=[TagFilter("k", among=())]) == []
    assert registry.point_ids(where=[TagFilter("' OR 1=1 --", equals="' OR 1=1 --")]) == []
    for odd in ("\x00", "\ud800"):
        with pytest.raises(NameInvalid):
            registry.point_ids(where=[TagFilter("k", equals=odd)])


def test_a_read_key_sees_its_site(registry: Registry, site: Site) -> None:
    reader = registry.key(registry.create_key(site.id, Scope.READ).secret)
    assert reader is not None and reader.scope is Scope.READ
    reach = authority_of_key(reader).reach(Right(Action.SEE, Resource.READING))
    assert registry.sites(reach) == [site]
