"""The directory of sites and devices: found by attributes, tags and words, in order, page by page, within a reach."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from wattstead.registry.authority import Reach
from wattstead.registry.errors import AttributeInvalid, NameInvalid
from wattstead.registry.people import accounts, memberships
from wattstead.registry.places import attributes
from wattstead.registry.places.directory.directory import Question
from wattstead.registry.places.directory.filters import Sight
from wattstead.registry.policy import Role
from wattstead.registry.records import Account, Asks, Filter
from wattstead.registry.registry import Registry

TOWNS = ("Lyon", "Nice", "Évian", "Lyon", "")


@pytest.fixture
def fleet(registry: Registry, owner: Account) -> dict[str, int]:
    """Five sites of two partners; the third partner's one looks much the same."""
    made: dict[str, int] = {}
    root = owner.organization_id
    one, two = (registry.create_organization(name, root).id for name in ("Adler", "Bussard"))
    other = registry.create_organization("Foreign", None).id
    for number, town in enumerate(TOWNS):
        given: dict[str, object] = {
            "city": town, "customer_number": f"C-{number:03}", "area_m2": None if number == 4 else 50.0 * number,
            "installed_on": f"202{number}-06-01", "heating": "gas" if number % 2 else "", "occupants": number or None,
        }  # fmt: skip
        tags = {"roof": "south"} if number < 2 else {"roof": "north"} if number == 2 else {}
        site = registry.create_site(
            one if number < 3 else two, f"Site {number}", "Europe/Paris", "", tags, attributes=given
        )
        made[site.name] = site.id
        registry.create_device(
            site.id, f"Meter {number}", attributes={"firmware": f"1.{number}", "serial_number": f"SN{number}"}
        )
    foreign = registry.create_site(other, "Site 9", "Europe/Paris", attributes={"city": "Lyon"})
    registry.create_device(foreign.id, "Meter 9", attributes={"firmware": "1.0"})
    registry.create_device(None, "Loose", organization_id=one, tags={"box": "4"})
    return made | {"one": one, "two": two, "other": other, "root": root}


def _names(registry: Registry, fleet: dict[str, int], *filters: Filter, q: str = "") -> list[str]:
    page = registry.find_sites(Reach((f"/{fleet['root']}/",)), Question(filters=filters, q=q))
    assert page.total == len(page.rows)
    return [row.site.name.removeprefix("Site ") for row in page.rows]


def _of(name: str, test: Asks, *values: str) -> Filter:
    return Filter(name, test, values)


def test_filters(registry: Registry, fleet: dict[str, int]) -> None:
    expected: dict[str, list[Filter]] = {
        "03": [_of("city", Asks.IN, "Lyon")],
        "013": [_of("city", Asks.IN, "Lyon", "Nice")],
        "2": [_of("city", Asks.PREFIX, "Év")],
        "4": [_of("city", Asks.EMPTY, "yes")],
        "0123": [_of("city", Asks.EMPTY, "no")],
        "12": [_of("area_m2", Asks.FROM, "50"), _of("area_m2", Asks.TO, "100")],
        "1": [_of("area_m2", Asks.IN, "50")],
        "23": [_of("installed_on", Asks.FROM, "2022-06-01"), _of("installed_on", Asks.TO, "2023-12-31")],
        "01": [_of("tag.roof", Asks.IN, "south")],
        "012": [_of("tag.roof", Asks.EMPTY, "no")],
        "34": [_of("tag.roof", Asks.EMPTY, "yes")],
        "034": [_of("organization_id", Asks.IN, str(fleet["two"])), ],
        "": [_of("branch", Asks.IN, str(fleet["other"]))],
        "01234": [_of("branch", Asks.IN, str(fleet["root"]))],
        "3": [_of("device.firmware", Asks.IN, "1.3")],
    }  # fmt: skip
    expected["34"] = [_of("organization_id", Asks.IN, str(fleet["two"]))]
    del expected["034"]
    for names, filters in expected.items():
        assert _names(registry, fleet, *filters) == list(names), filters
    assert _names(registry, fleet, _of("tag.roof", Asks.EMPTY, "yes")) == ["3", "4"]
    assert _names(registry, fleet, _of("branch", Asks.IN, str(fleet["one"]))) == ["0", "1", "2"]


def test_free_text_without_accents(registry: Registry, fleet: dict[str, int]) -> None:
    assert _names(registry, fleet, q="evian") == ["2"]
    assert _names(registry, fleet, q="LYON c-003") == ["3"]
    assert _names(registry, fleet, q="%") == []
    registry.change_site(fleet["Site 2"], attributes={"city": "Brest"})
    assert _names(registry, fleet, q="evian") == []
    assert _names(registry, fleet, q="brest") == ["2"]
    devices = registry.find_devices(None, Question(q="sn4"))
    assert [row.device.name for row in devices.rows] == ["Meter 4"]


def test_pages_in_any_order(registry: Registry, fleet: dict[str, int]) -> None:
    for sort, descending in itertools.product((*attributes.SITE, "organization"), (False, True)):
        _in_pages(registry, fleet, sort, descending)


def _in_pages(registry: Registry, fleet: dict[str, int], sort: str, descending: bool) -> None:
    """The pages of this order hold each site once, in the order of the whole list and of the exported one."""
    reach = Reach((f"/{fleet['root']}/",))
    whole = registry.find_sites(reach, Question(sort=sort, descending=descending)).rows
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = registry.find_sites(reach, Question(sort=sort, descending=descending, limit=2, cursor=cursor))
        assert page.total == 5, (sort, descending)
        found += [row.site.id for row in page.rows]
        cursor = page.cursor
    assert found == [row.site.id for row in whole], (sort, descending)
    assert sorted(found) == sorted(fleet[f"Site {number}"] for number in range(5)), (sort, descending)
    parts = list(registry.exported_sites(reach, Question(sort=sort, descending=descending)))
    place = parts[0].columns.index("id")
    assert [row[place] for part in parts for row in part.rows] == found, (sort, descending)


def test_what_is_not_told_comes_last(registry: Registry, fleet: dict[str, int]) -> None:
    for descending in (False, True):
        rows = registry.find_sites(None, Question(sort="occupants", descending=descending)).rows
        told = [row.site.occupants for row in rows]
        assert told[-2:] == [None, None]
        assert told[:4] == sorted(told[:4], reverse=descending)  # type: ignore[type-var]


def test_rows_tell_of_devices(registry: Registry, fleet: dict[str, int]) -> None:
    row = registry.find_sites(None, Question(filters=(_of("city", Asks.IN, "Nice"),))).rows[0]
    assert (row.organization, row.devices, row.site.last_seen) == ("Adler", 1, None)
    assert row.site.tags == {"roof": "south"}


def test_devices(registry: Registry, fleet: dict[str, int]) -> None:
    reach = Reach((f"/{fleet['root']}/",))
    page = registry.find_devices(reach, Question())
    assert [row.device.name for row in page.rows] == ["Loose", *(f"Meter {number}" for number in range(5))]
    assert [(row.organization, row.site) for row in page.rows][:2] == [("Adler", ""), ("Adler", "Site 0")]
    for filters, names in (
        ((_of("site_id", Asks.EMPTY, "yes"),), ["Loose"]),
        ((_of("site.city", Asks.IN, "Lyon"),), ["Meter 0", "Meter 3"]),
        ((_of("tag.box", Asks.IN, "4"),), ["Loose"]),
        ((_of("posting", Asks.IN, "yes"), _of("firmware", Asks.IN, "1.1")), ["Meter 1"]),
        ((_of("last_seen", Asks.EMPTY, "no"),), []),
        ((
            _of("created", Asks.FROM, "2026-03-01"), _of("created", Asks.TO, "2026-03-01"),
            _of("firmware", Asks.PREFIX, "1.4"),
        ), ["Meter 4"]),
    ):  # fmt: skip
        found = registry.find_devices(reach, Question(filters=filters))
        assert [row.device.name for row in found.rows] == names
        assert found.total == len(names)
    one = registry.find_devices(Reach((), (fleet["Site 1"],)), Question())
    assert [row.device.name for row in one.rows] == ["Meter 1"]


def test_a_filter_tells_nothing_of_people_one_may_not_see(
    registry: Registry, fleet: dict[str, int], owner: Account
) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with registry._db.writing() as session:
        eve = accounts.create(session, fleet["other"], "eve@test.example", "", now)
        memberships.create(session, eve.id, Role.USER, now, site_id=fleet["Site 1"])
    asked = Question(filters=(_of("person.email", Asks.IN, "eve@test.example"),))
    reach = Reach((f"/{fleet['root']}/",))
    assert [row.site.name for row in registry.find_sites(reach, asked, Sight(reach)).rows] == ["Site 1"]
    assert registry.find_sites(reach, asked, Sight(Reach())).total == 0
    assert registry.find_sites(reach, asked, Sight(Reach((f"/{fleet['other']}/",)))).total == 0, "the role is elsewhere"
    assert registry.find_sites(reach, asked, Sight(Reach((f"/{fleet['two']}/",)))).total == 0


def test_a_filter_tells_no_more_of_somebody_from_elsewhere_than_a_list(
    registry: Registry, fleet: dict[str, int]
) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with registry._db.writing() as session:
        eve = accounts.create(session, fleet["other"], "eve@test.example", "", now, "Eve Secret")
        bob = accounts.create(session, fleet["one"], "bob@test.example", "", now, "Bob")
        for person, site in ((eve, "Site 1"), (bob, "Site 1"), (bob, "Site 3")):
            memberships.create(session, person.id, Role.USER, now, site_id=fleet[site])

    def found(name: str, test: Asks, value: str, sight: Reach | None) -> list[str]:
        asked = Question(filters=(_of(f"person.{name}", test, value),))
        return [row.site.name for row in registry.find_sites(None, asked, Sight(sight)).rows]

    reach = Reach((f"/{fleet['root']}/",))
    for name, test, value in (
        ("name", Asks.PREFIX, "Eve"), ("phone", Asks.EMPTY, "yes"), ("last_seen", Asks.EMPTY, "yes"),
        ("state", Asks.IN, "active"),
    ):  # fmt: skip
        assert found(name, test, value, None)[0] == "Site 1"
        hidden = found(name, test, value, Reach((), (fleet["Site 1"],)))
        assert hidden == ([] if name == "name" else ["Site 1"]), "of Bob, whose organization is that of the site"
        assert found("name", Asks.PREFIX, "Eve", reach) == []
    assert found("email", Asks.PREFIX, "eve", reach) == ["Site 1"]
    assert found("name", Asks.PREFIX, "Bob", reach) == ["Site 1", "Site 3"]
    own = Reach((registry.organization(fleet["one"]).path,))
    assert found("name", Asks.PREFIX, "Bob", own) == ["Site 1"], "the role at the other site is not told"


def test_a_branch_is_followed_where_it_may_be_seen(registry: Registry, fleet: dict[str, int]) -> None:
    def found(branch: str, sight: Reach | None) -> int:
        asked = Question(filters=(_of("branch", Asks.IN, str(fleet[branch])),))
        sites = registry.find_sites(None, asked, Sight(organizations=sight)).total
        beside = Question(filters=(_of("site.branch", Asks.IN, str(fleet[branch])),))
        assert registry.find_devices(None, beside, Sight(organizations=sight)).total == sites
        return sites

    assert found("root", None) == found("root", Reach((f"/{fleet['root']}/",))) == 5
    own = Reach((registry.organization(fleet["one"]).path,))
    assert found("one", own) == found("one", Reach()) == 3, "an organization itself stands beside its sites"
    assert found("root", own) == found("root", Reach()) == 0


def test_devices_out_of_sight_are_not_asked_about(registry: Registry, fleet: dict[str, int]) -> None:
    mine = registry.find_devices(None, Question(filters=(_of("name", Asks.IN, "Meter 1"),))).rows[0].device.id
    other = registry.create_device(fleet["Site 1"], "Other", attributes={"firmware": "9"}, tags={"box": "5"}).id
    sight, site = Sight(devices=Reach(devices=(mine,))), Reach((), (fleet["Site 1"],))
    for name, test, value in (
        ("firmware", Asks.IN, "9"), ("name", Asks.PREFIX, "Oth"), ("id", Asks.IN, str(other)),
        ("tag.box", Asks.IN, "5"),
    ):  # fmt: skip
        asked = Question(filters=(_of(f"device.{name}", test, value),))
        assert (registry.find_sites(site, asked).total, registry.find_sites(site, asked, sight).total) == (1, 0), name
    asked = Question(filters=(_of("device.firmware", Asks.IN, "1.1"),))
    assert [row.devices for row in registry.find_sites(site, asked, sight).rows] == [1]
    assert registry.site_row(fleet["Site 1"], sight).devices == 1 and registry.site_row(fleet["Site 1"]).devices == 2


@pytest.mark.parametrize(
    "asked",
    [
        Question(filters=(_of("search", Asks.IN, "x"),)),
        Question(filters=(_of("secret_hash", Asks.IN, "x"),)),
        Question(filters=(_of("person.password_hash", Asks.PREFIX, "$"),)),
        Question(filters=(_of("area_m2", Asks.IN, "big"),)),
        Question(filters=(_of("city", Asks.FROM, "A"),)),
        Question(filters=(_of("area_m2", Asks.PREFIX, "1"),)),
        Question(filters=(_of("city", Asks.IN),)),
        Question(filters=(_of("branch", Asks.FROM, "1"),)),
        Question(filters=(_of("city", Asks.IN, "\x00"),)),
        Question(filters=tuple(_of("city", Asks.IN, "x") for _ in range(31))),
        Question(sort="organization_id; drop table site"),
        Question(limit=0), Question(limit=501),
        Question(cursor="x"), Question(cursor="WyJjaXR5IixmYWxzZSwiYSIsMV0"), Question(q="\ud800"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(registry: Registry, fleet: dict[str, int], asked: Question) -> None:
    with pytest.raises((AttributeInvalid, NameInvalid)):
        registry.find_sites(None, asked)
