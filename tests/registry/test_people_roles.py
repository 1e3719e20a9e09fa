"""Roles that rest, shares that stand as long as their makers do, tags and filters of people, addresses not told of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import pytest

from wattstead.registry.authority import Authority, Stand
from wattstead.registry.errors import AttributeInvalid, EmailTaken, RoleRefused, Unknown
from wattstead.registry.people import accounts
from wattstead.registry.places.directory.directory import Question
from wattstead.registry.policy import SEE_READINGS, Action, Resource, Right, Role
from wattstead.registry.records import Account, Asks, Filter, PeopleQuery, PersonChange, Site
from wattstead.registry.registry import Registry
from wattstead.registry.trail import Actor

PASSWORD = "correct horse battery"
ALL = Authority((Stand(Role.ADMINISTRATOR, "/"), Stand(Role.OWNER, "/1/")))
SEE = Right(Action.SEE, Resource.PERSON)


class Clock(Protocol):
    now: datetime

    def __call__(self) -> datetime: ...
    def pass_(self, span: timedelta) -> None: ...


class Town:
    """Two companies below the owner's organization, each with an owner and a site; Vera works at both."""

    def __init__(self, registry: Registry, owner: Account, clock: Clock, password_hash: str) -> None:
        self.registry, self.boss = registry, Actor(owner.id)
        branches = [registry.create_organization(name, owner.organization_id) for name in ("North", "South")]
        self.ids = [branch.id for branch in branches]
        self.sites = [registry.create_site(one.id, one.name, "Europe/Paris").id for one in branches]
        with registry._db.writing() as s:
            self.north, self.south, self.vera = (
                accounts.create(s, at, f"{name}@example.org", password_hash, clock(), name.title(), verified=clock())
                for at, name in zip((*self.ids, self.ids[1]), ("north", "south", "vera"), strict=True)
            )
        for person, at in ((self.north, self.ids[0]), (self.south, self.ids[1])):
            registry.give_role(self.boss, ALL, person.id, Role.OWNER, organization_id=at)
        for at in self.sites:
            registry.give_role(self.boss, ALL, self.vera.id, Role.MANAGER, site_id=at)

    def authority(self, account: Account) -> Authority:
        signed = self.registry.signed(self.registry.login(account.email, PASSWORD))
        assert signed is not None
        return signed.authority

    def sees(self, account: Account) -> set[int]:
        return set(self.registry.site_names(self.authority(account).reach(SEE_READINGS)))


@pytest.fixture
def town(registry: Registry, owner: Account, clock: Clock, password_hash: str) -> Town:
    return Town(registry, owner, clock, password_hash)


def test_somebody_who_belongs_elsewhere_too_is_suspended_here_alone(town: Town) -> None:
    registry, north, vera = town.registry, Actor(town.north.id), town.vera
    stand = town.authority(town.north)
    with pytest.raises(RoleRefused):
        registry.change_person(north, stand, vera.id, PersonChange(state="disabled"))
    before, token = registry.generation(), registry.login(vera.email, PASSWORD)
    assert town.sees(vera) == set(town.sites)
    assert registry.suspend_roles(north, stand, vera.id) == 1
    assert town.sees(vera) == {town.sites[1]} and registry.generation() > before and registry.signed(token) is not None
    held = registry.person(None, vera.id).memberships
    assert [one.suspended is not None for one in held] == [True, False]
    with pytest.raises(RoleRefused, match="no role here"):
        registry.suspend_roles(north, stand, vera.id)
    assert registry.resume_roles(north, stand, vera.id) == 1 and town.sees(vera) == set(town.sites)
    assert [deed.action for deed in registry.trail(resource=Resource.PERSON, resource_id=vera.id)[:2]] == [
        "resume", "suspend",
    ]  # fmt: skip


def test_a_role_that_rests_is_no_way_around(town: Town, owner: Account) -> None:
    """Who holds one is not taken over meanwhile; offers from before are void; nobody suspends the own roles."""
    registry, vera, stand = town.registry, town.vera, town.authority(town.north)
    offered = registry.invite(town.boss, ALL, vera.email, Role.MANAGER, site_id=town.sites[0])
    registry.suspend_roles(Actor(town.north.id), stand, vera.id)
    with pytest.raises(Exception, match="not valid"):
        registry.accept_invitation(offered.token, signed_id=vera.id)
    south = town.authority(town.south)
    with pytest.raises(RoleRefused, match="could not give"):
        registry.change_person(Actor(town.south.id), south, vera.id, PersonChange(state="disabled"))
    with pytest.raises(RoleRefused, match="own account"):
        registry.suspend_roles(Actor(town.north.id), stand, town.north.id)
    with pytest.raises(RoleRefused, match="last administrator"):
        registry.suspend_roles(Actor(town.north.id), ALL, owner.id)
    registry.give_role(town.boss, ALL, vera.id, Role.MANAGER, site_id=town.sites[0])
    assert town.sees(vera) == set(town.sites)


def test_what_somebody_showed_ends_with_their_role(town: Town, clock: Clock) -> None:
    """Judged at each look: nobody has to end anything; and it stands again when the role is given again."""
    registry, site_id, later = town.registry, town.sites[0], clock() + timedelta(days=9)
    user = {"role": Role.USER, "site_id": site_id, "expires": clock() + timedelta(hours=1)}
    registry.give_role(town.boss, ALL, town.south.id, **user)  # type: ignore[arg-type]
    by = Actor(town.south.id)
    link = registry.share_link(site_id, "to the neighbour", later, by=by)
    guest = registry.share_with(site_id, town.north.email, later, by=by)
    other = registry.share_with(site_id, town.vera.email, later, by=Actor(town.north.id))
    assert guest is not None and other is not None
    registry.take_role(town.boss, ALL, town.north.id, registry.person(None, town.north.id).memberships[0].id)
    assert site_id in town.sees(town.north)
    seen = registry.guest(link.token)
    assert seen is not None and seen.ends_s == (clock() + timedelta(hours=1)).timestamp()
    signed = registry.signed(registry.login(town.north.email, PASSWORD))
    assert signed is not None and signed.ends_s == (clock() + timedelta(hours=1)).timestamp()
    clock.pass_(timedelta(hours=2))
    assert registry.guest(link.token) is None and town.sees(town.north) == set()
    registry.give_role(town.boss, ALL, town.south.id, Role.USER, site_id=site_id)
    assert registry.guest(link.token) is not None and town.sees(town.north) == {site_id}


def test_two_who_show_each_other_a_site_stand_by_nothing(town: Town, clock: Clock) -> None:
    registry = town.registry
    pairs = ((town.north, town.south, 0), (town.south, town.north, 1))
    for giver, guest, at in pairs:
        assert registry.share_with(town.sites[at], guest.email, None, by=Actor(giver.id)) is not None
    assert town.sees(town.north) == town.sees(town.south) == set(town.sites)
    registry.take_role(town.boss, ALL, town.north.id, registry.person(None, town.north.id).memberships[0].id)
    assert town.sees(town.north) == town.sees(town.south) == {town.sites[1]}


def test_people_are_found_by_more_than_equals(town: Town, clock: Clock, owner: Account) -> None:
    registry = town.registry
    told = PersonChange(phone_type="Fairphone 5", tags={"team": "blue", "shift": "night"})
    registry.change_person(town.boss, ALL, town.vera.id, told)
    everybody = {"ada", "north", "south", "vera"}

    def names(name: str, test: Asks, *values: str, by: Account | None = None) -> set[str]:
        reach = town.authority(by).reach(SEE) if by else None
        found = registry.people(reach, PeopleQuery(filters=(Filter(name, test, values),)))
        assert found.total == len(found.rows)
        return {row.account.email.partition("@")[0] for row in found.rows}

    assert names("phone_type", Asks.CONTAINS, "PHONE") == names("phone_type", Asks.PREFIX, "fair") == {"vera"}
    assert names("name", Asks.IN, "NORTH", "Vera") == {"north", "vera"}
    assert names("phone_type", Asks.EMPTY, "yes") == everybody - {"vera"}
    tomorrow, today = f"{clock() + timedelta(days=1):%Y-%m-%d}", f"{clock():%Y-%m-%d}"
    assert names("created", Asks.FROM, tomorrow) == set() and names("created", Asks.TO, today) == everybody
    assert names("verified", Asks.EMPTY, "no") == names("verified", Asks.IN, "true") == everybody - {"ada"}
    assert names("tag.team", Asks.IN, "blue", "red") == names("tag.shift", Asks.EMPTY, "no") == {"vera"}
    assert registry.person(None, town.vera.id).tags == {"team": "blue", "shift": "night"}
    for wrong in (("name", Asks.FROM, "a"), ("created", Asks.CONTAINS, "2026"), ("created", Asks.FROM, "soon")):
        with pytest.raises(AttributeInvalid):
            names(*wrong)
    # who sees Vera at a site, and not where she belongs, neither sees nor asks what is said of her
    assert names("email", Asks.CONTAINS, "VERA", by=town.north) == {"vera"}
    for name, value in (("tag.team", "blue"), ("phone_type", "Fairphone 5"), ("name", "Vera")):
        assert names(name, Asks.IN, value, by=town.north) == set() != names(name, Asks.IN, value, by=town.south)
    assert registry.person(town.authority(town.north).reach(SEE), town.vera.id).tags == {}
    assert registry.tags_of_people(None, PeopleQuery()) == ("shift", "team")
    registry.change_person(town.boss, ALL, town.vera.id, PersonChange(tags={"shift": ""}))
    assert registry.person(None, town.vera.id).tags == {"team": "blue"}


def test_sites_are_found_by_people_whose_role_counts(town: Town, clock: Clock) -> None:
    registry = town.registry

    def sites() -> set[int]:
        wanted = Filter("person.email", Asks.CONTAINS, ("vera",))
        return {row.site.id for row in registry.find_sites(None, Question(filters=(wanted,))).rows}

    registry.give_role(
        town.boss, ALL, town.vera.id, Role.MANAGER, site_id=town.sites[0], expires=clock() + timedelta(hours=1)
    )
    assert sites() == set(town.sites)
    registry.suspend_roles(Actor(town.south.id), town.authority(town.south), town.vera.id)
    assert sites() == {town.sites[0]}
    clock.pass_(timedelta(hours=2))
    assert sites() == set()


def test_making_a_person_tells_nothing_of_those_elsewhere(town: Town, site: Site) -> None:
    registry, stand, by = town.registry, town.authority(town.north), Actor(town.north.id)
    told = PersonChange(name="Nova", phone="+33 1", tags={"team": "red"})
    at = {"site_id": town.sites[0]}
    for email in ("new@example.org", town.south.email):
        assert registry.create_person(by, stand, email, Role.USER, told, **at) is None
    with pytest.raises(EmailTaken):  # she is seen, so that is no news
        registry.create_person(by, stand, town.vera.email, Role.USER, told, **at)
    with pytest.raises(EmailTaken):
        registry.create_person(town.boss, ALL, town.south.email, Role.USER, told, **at)
    south, taken = town.authority(town.south), PersonChange(email=town.north.email)
    with pytest.raises(RoleRefused, match="runs the platform"):
        registry.change_person(Actor(town.south.id), south, _plain(town).id, taken)
    made = registry.invite(by, stand, "new@example.org", Role.USER, told=told, **at)
    nova = registry.accept_invitation(made.token, "", PASSWORD)
    assert (nova.name, nova.phone) == ("Nova", "+33 1") and registry.person(None, nova.id).tags == {"team": "red"}
    again = registry.invite(by, stand, town.south.email, Role.USER, told=told, **at)
    kept = registry.accept_invitation(again.token, signed_id=town.south.id)
    assert kept.name == "South" and town.sees(town.south) == set(town.sites)


def _plain(town: Town) -> Account:
    """Somebody who belongs to the south alone."""
    made = town.registry.invite(
        Actor(town.south.id), town.authority(town.south), "plain@example.org", Role.USER, site_id=town.sites[1]
    )
    return town.registry.accept_invitation(made.token, "Plain", PASSWORD)


def test_an_unknown_person_is_neither_suspended_nor_resumed(town: Town) -> None:
    for attempt in (town.registry.suspend_roles, town.registry.resume_roles):
        with pytest.raises((RoleRefused, Unknown)):
            attempt(town.boss, ALL, 987_654)
