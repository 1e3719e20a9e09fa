"""People above and below each other: who may change, disable, delete, give roles and look through whose eyes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import pytest

from wattstead.registry.authority import Authority, Reach, Stand
from wattstead.registry.errors import (
    AccountNotActive,
    AttributeInvalid,
    EmailTaken,
    LinkInvalid,
    NameInvalid,
    RoleRefused,
    Stale,
    Unknown,
)
from wattstead.registry.people import accounts
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import Account, Asks, Filter, PeopleQuery, PersonChange, Site
from wattstead.registry.registry import Registry
from wattstead.registry.trail import Actor

PASSWORD = "correct horse battery"
ALL = Authority((Stand(Role.ADMINISTRATOR, "/"), Stand(Role.OWNER, "/1/")))
NOTHING = PersonChange()


class Clock(Protocol):
    now: datetime

    def __call__(self) -> datetime: ...
    def pass_(self, span: timedelta) -> None: ...


@pytest.fixture
def made(registry: Registry, owner: Account, clock: Clock, password_hash: str) -> dict[str, Account]:
    """A partner with a branch of its own, its colleague and its customer, all with `PASSWORD`."""
    branch = registry.create_organization("Sun Ltd", owner.organization_id)
    home = registry.create_site(branch.id, "Cottage", "Europe/Paris")
    found: dict[str, Account] = {}
    with registry._db.writing() as s:
        for name in ("partner", "colleague", "customer", "stranger"):
            found[name] = accounts.create(s, branch.id, f"{name}@example.org", password_hash, clock(), name.title())
    boss = Actor(owner.id)
    for name, role, place in (
        ("partner", Role.PARTNER, {"organization_id": branch.id}),
        ("colleague", Role.OWNER, {"organization_id": branch.id}),
        ("customer", Role.USER, {"site_id": home.id}),
    ):
        registry.give_role(boss, ALL, found[name].id, role, **place)
    return found


def _that(name: str, value: str) -> tuple[Filter, ...]:
    return (Filter(name, Asks.IN, (value,)),)


def authority(registry: Registry, account: Account) -> Authority:
    signed = registry.signed(registry.login(account.email, PASSWORD))
    assert signed is not None
    return signed.authority


def test_a_change_is_versioned_and_noted(registry: Registry, owner: Account, made: dict[str, Account]) -> None:
    before = made["customer"]
    changed = registry.change_person(
        Actor(owner.id), ALL, before.id, PersonChange(name=" Cleo ", phone="+33 1"), before.version
    )
    assert (changed.name, changed.phone, changed.version) == ("Cleo", "+33 1", before.version + 1)
    with pytest.raises(Stale, match="version 2"):
        registry.change_person(Actor(owner.id), ALL, before.id, PersonChange(name="X"), before.version)
    newest = registry.trail(resource=Resource.PERSON, resource_id=before.id)[0]
    assert newest.words == {"changes": {"name": ["Customer", "Cleo"], "phone": ["", "+33 1"]}}
    assert registry.broken_trail() is None


def test_nobody_lays_hands_on_whom_they_do_not_stand_above(
    registry: Registry, owner: Account, made: dict[str, Account]
) -> None:
    partner = made["partner"]
    stand = authority(registry, partner)
    actor = Actor(partner.id)
    registry.change_person(actor, stand, made["customer"].id, PersonChange(phone="1"))
    for other in (made["colleague"], owner):
        for told in (PersonChange(email="mine@example.org"), PersonChange(state="disabled"), NOTHING):
            with pytest.raises(RoleRefused):
                registry.change_person(actor, stand, other.id, told)
        with pytest.raises(RoleRefused):
            registry.delete_person(actor, stand, other.id)
    with pytest.raises(RoleRefused):
        registry.give_role(actor, stand, partner.id, Role.OWNER, organization_id=partner.organization_id)
    with pytest.raises(RoleRefused):
        registry.give_role(actor, stand, partner.id, Role.ADMINISTRATOR)
    with pytest.raises(RoleRefused):
        registry.give_role(actor, stand, partner.id, Role.PARTNER, organization_id=owner.organization_id)
    with pytest.raises(NameInvalid, match="cannot be held"):
        registry.give_role(actor, stand, partner.id, Role.USER, organization_id=partner.organization_id)


def test_a_disabled_person_is_out_at_once(registry: Registry, owner: Account, made: dict[str, Account]) -> None:
    customer = made["customer"]
    token, generation = registry.login(customer.email, PASSWORD), registry.generation()
    registry.change_person(Actor(owner.id), ALL, customer.id, PersonChange(state="disabled"))
    assert registry.signed(token) is None and registry.generation() > generation
    with pytest.raises(AccountNotActive, match="disabled"):
        registry.login(customer.email, PASSWORD)
    registry.change_person(Actor(owner.id), ALL, customer.id, PersonChange(state="active"))
    assert registry.signed(token) is None and registry.login(customer.email, PASSWORD)


def test_nobody_disables_or_deletes_themselves_or_the_last_administrator(
    registry: Registry, owner: Account, made: dict[str, Account]
) -> None:
    with pytest.raises(RoleRefused, match="own account"):
        registry.change_person(Actor(owner.id), ALL, owner.id, PersonChange(state="disabled"))
    with pytest.raises(RoleRefused, match="last administrator"):
        registry.delete_person(Actor(made["stranger"].id), ALL, owner.id)
    last = next(m for m in registry.person(None, owner.id).memberships if m.role == "administrator")
    with pytest.raises(RoleRefused, match="last administrator"):
        registry.take_role(Actor(owner.id), ALL, owner.id, last.id)
    with pytest.raises(RoleRefused, match="own account"):
        registry.change_person(Actor(owner.id), ALL, owner.id, PersonChange(email="else@example.org"))


def test_an_administrator_changes_an_address(registry: Registry, owner: Account, made: dict[str, Account]) -> None:
    customer = made["customer"]
    token = registry.login(customer.email, PASSWORD)
    changed = registry.change_person(Actor(owner.id), ALL, customer.id, PersonChange(email="New@Example.org"))
    assert changed.email == "new@example.org" and changed.verified is None and registry.signed(token) is None
    assert registry.login("new@example.org", PASSWORD)
    with pytest.raises(EmailTaken):
        registry.change_person(Actor(owner.id), ALL, customer.id, PersonChange(email=owner.email))


def test_a_deleted_person_leaves_no_name(registry: Registry, owner: Account, made: dict[str, Account]) -> None:
    customer = made["customer"]
    registry.change_person(Actor(owner.id), ALL, customer.id, PersonChange(name="Cleo"))
    token = registry.login(customer.email, PASSWORD)
    registry.delete_person(Actor(owner.id), ALL, customer.id)
    assert registry.signed(token) is None
    with pytest.raises(Unknown):
        registry.person(None, customer.id)
    deeds = registry.trail(resource=Resource.PERSON, resource_id=customer.id)
    assert len(deeds) >= 3 and all(deed.words == {} for deed in deeds) and registry.broken_trail() is None


def test_a_deleted_person_leaves_no_address_in_invitations(registry: Registry, owner: Account, site: Site) -> None:
    boss = Actor(owner.id)
    for email in ("eve_1@example.org", "evex1@example.org"):
        asked = registry.invite(boss, ALL, email, Role.USER, site_id=site.id)
        person = registry.accept_invitation(asked.token, "Somebody", PASSWORD)
        registry.change_person(boss, ALL, person.id, PersonChange(email=f"new.{email}"))
        registry.invite(boss, ALL, f"new.{email}", Role.GUEST, site_id=site.id)
    gone = next(one.account.id for one in registry.people(None, PeopleQuery(q="eve_1")).rows)
    registry.delete_person(boss, ALL, gone)
    told = str([deed.words for deed in registry.trail()])
    assert "eve_1" not in told and told.count("evex1") > 3 and registry.broken_trail() is None


def test_a_role_ends_when_it_expires_or_is_taken(
    registry: Registry, owner: Account, made: dict[str, Account], clock: Clock
) -> None:
    stranger, boss = made["stranger"], Actor(owner.id)
    given = registry.give_role(
        boss, ALL, stranger.id, Role.AUDITOR, organization_id=1, expires=clock() + timedelta(hours=1)
    )
    see = Right(Action.SEE, Resource.SITE)
    assert authority(registry, stranger).may(see, "/1/")
    clock.pass_(timedelta(hours=2))
    assert not authority(registry, stranger).stands
    with pytest.raises(Unknown):
        registry.take_role(boss, ALL, made["partner"].id, given.id)
    registry.take_role(boss, ALL, stranger.id, given.id)
    assert not registry.person(None, stranger.id).memberships


def test_an_administrator_looks_through_eyes_visibly(
    registry: Registry, owner: Account, made: dict[str, Account], clock: Clock
) -> None:
    customer, boss = made["customer"], Actor(owner.id)
    token = registry.impersonate(boss, ALL, customer.id, "ticket 9", agent="browser")
    signed = registry.signed(token)
    assert signed is not None and (signed.account.id, signed.impersonator_id) == (customer.id, owner.id)
    assert signed.authority == authority(registry, customer)
    (deed,) = [deed for deed in registry.trail() if deed.action == "impersonate"]
    assert (deed.account_id, deed.resource_id) == (owner.id, customer.id) and deed.words == {"reason": "ticket 9"}
    assert [one.impersonator_id for one in registry.open_sessions(customer.id)].count(owner.id) == 1
    clock.pass_(timedelta(minutes=61))
    assert registry.signed(token) is None


def test_who_may_not_look_through_eyes(registry: Registry, owner: Account, made: dict[str, Account]) -> None:
    customer, partner = made["customer"], made["partner"]
    refused = [
        (Actor(partner.id), authority(registry, partner), customer.id),
        (Actor(owner.id), ALL, owner.id),
        (Actor(partner.id), ALL, owner.id),
        (Actor(customer.id, owner.id), ALL, partner.id),
    ]
    for actor, stand, account_id in refused:
        with pytest.raises(RoleRefused):
            registry.impersonate(actor, stand, account_id)


def test_eyes_close_when_the_administrator_is_none_any_more(
    registry: Registry, owner: Account, made: dict[str, Account]
) -> None:
    boss, colleague = Actor(owner.id), made["colleague"]
    given = registry.give_role(boss, ALL, colleague.id, Role.ADMINISTRATOR)
    token = registry.impersonate(Actor(colleague.id), ALL, made["customer"].id)
    registry.take_role(boss, ALL, colleague.id, given.id)
    assert registry.signed(token) is None


def test_eyes_are_listed_and_end_with_the_own_sessions(
    registry: Registry, owner: Account, made: dict[str, Account]
) -> None:
    customer, boss = made["customer"], Actor(owner.id)
    kept, other = registry.login(owner.email, PASSWORD), registry.login(owner.email, PASSWORD)
    signed, ended = registry.signed(kept), registry.signed(other)
    assert signed is not None and ended is not None

    def eyes() -> str:
        return registry.impersonate(boss, ALL, customer.id, "ticket 9")

    token = eyes()
    assert [one.eyes_of for one in registry.open_sessions(owner.id) if one.eyes_of] == [customer.email]
    assert not any(one.eyes_of for one in registry.open_sessions(customer.id))
    before = registry.generation()
    registry.end_session(owner.id, ended.session)
    assert registry.signed(token) is None and registry.generation() > before
    token = eyes()
    assert registry.end_other_sessions(owner.id, signed.session) == 1 and registry.signed(token) is None
    token = eyes()
    registry.change_password(owner.id, PASSWORD, signed.session)
    assert registry.signed(token) is None
    token, before = eyes(), registry.generation()
    registry.logout(token)
    assert registry.signed(token) is None and registry.signed(kept) is not None and registry.generation() > before
    token = eyes()
    registry.logout(kept)
    assert registry.signed(token) is None


def test_the_reason_of_an_operator_lasts_for_the_session(
    registry: Registry, owner: Account, made: dict[str, Account]
) -> None:
    stranger = made["stranger"]
    registry.give_role(Actor(owner.id), ALL, stranger.id, Role.OPERATOR, organization_id=1)
    token = registry.login(stranger.email, PASSWORD)
    signed, see = registry.signed(token), Right(Action.SEE, Resource.SITE)
    assert signed is not None and not signed.authority.reach(see) and signed.authority.lacks_reason
    registry.tell_reason(Actor(stranger.id), signed.session, "ticket 17")
    again, other = registry.signed(token), registry.signed(registry.login(stranger.email, PASSWORD))
    assert again is not None and other is not None
    assert again.authority.reach(see) and not other.authority.reach(see)
    assert registry.trail()[0].words == {"reason": "ticket 17"}
    with pytest.raises(Unknown):
        registry.tell_reason(Actor(owner.id), signed.session, "not mine")


def test_people_see_and_end_their_own_sessions_alone(
    registry: Registry, owner: Account, made: dict[str, Account]
) -> None:
    customer = made["customer"]
    kept = registry.login(customer.email, PASSWORD, "10.0.0.1", "Firefox")
    ended, third = registry.login(customer.email, PASSWORD), registry.login(customer.email, PASSWORD)
    signed, other = registry.signed(kept), registry.signed(ended)
    assert signed is not None and other is not None
    listed = {one.name: one for one in registry.open_sessions(customer.id)}
    assert len(listed) == 3 and (listed[signed.session].agent, listed[signed.session].address) == (
        "Firefox", "10.0.0.1",
    )  # fmt: skip
    with pytest.raises(Unknown):
        registry.end_session(owner.id, other.session)
    registry.end_session(customer.id, other.session)
    assert registry.signed(ended) is None and registry.signed(third) is not None
    assert registry.end_other_sessions(customer.id, signed.session) == 1
    assert registry.signed(third) is None and registry.signed(kept) is not None


def test_the_directory_keeps_to_its_reach(registry: Registry, owner: Account, made: dict[str, Account]) -> None:
    see = Right(Action.SEE, Resource.PERSON)
    listed = registry.people(authority(registry, made["partner"]).reach(see), PeopleQuery())
    assert [row.account.name for row in listed.rows] == ["Colleague", "Customer", "Partner", "Stranger"]
    assert listed.total == 4 and listed.cursor == ""
    everybody = registry.people(None, PeopleQuery())
    assert everybody.total == 5
    assert registry.people(Reach(), PeopleQuery()).total == 0
    with pytest.raises(Unknown):
        registry.person(authority(registry, made["partner"]).reach(see), owner.id)


def test_roles_elsewhere_are_not_told(registry: Registry, owner: Account, made: dict[str, Account]) -> None:
    away = registry.create_site(owner.organization_id, "Away", "Europe/Paris")
    registry.give_role(Actor(owner.id), ALL, made["customer"].id, Role.USER, site_id=away.id)
    see = Right(Action.SEE, Resource.PERSON)
    row = registry.person(authority(registry, made["partner"]).reach(see), made["customer"].id)
    assert [one.site_id != away.id for one in row.memberships] == [True]
    assert len(registry.person(None, made["customer"].id).memberships) == 2


def test_roles_elsewhere_are_not_asked_about(
    registry: Registry, owner: Account, made: dict[str, Account], clock: Clock
) -> None:
    away = registry.create_site(owner.organization_id, "Away", "Europe/Paris")
    home = next(one.site_id for one in registry.person(None, made["customer"].id).memberships)
    by, soon = Actor(owner.id), clock() + timedelta(minutes=5)
    registry.give_role(by, ALL, made["customer"].id, Role.MANAGER, site_id=away.id)
    registry.give_role(by, ALL, made["stranger"].id, Role.GUEST, site_id=home, expires=soon)
    registry.give_role(by, ALL, owner.id, Role.GUEST, site_id=home)
    reach = authority(registry, made["partner"]).reach(Right(Action.SEE, Resource.PERSON))

    def names(reach: Reach | None, **query: object) -> list[str]:
        return [row.account.email.partition("@")[0] for row in registry.people(reach, PeopleQuery(**query)).rows]  # type: ignore[arg-type]

    assert names(None, site_id=away.id) == names(None, role="manager") == ["customer"]
    assert names(reach, site_id=away.id) == names(reach, role="manager") == names(reach, role="administrator") == []
    assert set(names(reach, site_id=home)) == {"customer", "stranger", "ada"}
    assert names(None, organization_id=owner.organization_id) == ["ada"]
    assert names(reach, organization_id=owner.organization_id) == []
    assert registry.person(reach, owner.id).account.organization_id == 0
    clock.pass_(timedelta(minutes=6))
    assert set(names(reach, role="guest")) == {"ada"}


@pytest.mark.parametrize("sort", ["name", "email", "id", "created", "last_seen", "organization", "state"])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_of_the_directory_leave_nobody_out(
    registry: Registry, made: dict[str, Account], sort: str, descending: bool
) -> None:
    found: list[int] = []
    cursor = ""
    for _ in range(10):
        page = registry.people(None, PeopleQuery(sort=sort, descending=descending, limit=2, cursor=cursor))
        found += [row.account.id for row in page.rows]
        cursor = page.cursor
        if not cursor:
            break
    whole = registry.people(None, PeopleQuery(sort=sort, descending=descending))
    assert found == [row.account.id for row in whole.rows] and len(set(found)) == 5


def test_the_directory_is_searched_and_filtered(registry: Registry, owner: Account, made: dict[str, Account]) -> None:
    registry.change_person(Actor(owner.id), ALL, made["customer"].id, PersonChange(phone="+33 170", phone_type="Fair"))

    def ids(**query: object) -> list[int]:
        return [row.account.id for row in registry.people(None, PeopleQuery(**query)).rows]  # type: ignore[arg-type]

    assert ids(q="CUST example") == ids(q="170") == ids(filters=_that("phone_type", "fair")) == [made["customer"].id]
    assert ids(q="100%") == ids(q="_artner") == []
    assert ids(role="partner") == [made["partner"].id]
    assert ids(filters=_that("second_factor", "true")) == []
    for wrong in (
        {"filters": _that("password_hash", "x")},
        {"sort": "password_hash"},
        {"cursor": "abc"},
        {"cursor": "WyJhIl0="},
    ):
        with pytest.raises((NameInvalid, AttributeInvalid)):
            ids(**wrong)
    for odd in ({"q": "a\0b"}, {"filters": _that("phone", "\0")}):
        with pytest.raises(NameInvalid):
            ids(**odd)
    with pytest.raises(Unknown):
        registry.end_session(owner.id, "\0")
    assert ids(organization_id=1, site_id=1) == [] == ids(role="' OR 1=1 --")
    with pytest.raises(NameInvalid):
        ids(sort="id", cursor=registry.people(None, PeopleQuery(limit=1)).cursor)


def test_a_person_made_by_hand_waits_for_the_invitation(registry: Registry, owner: Account, site: Site) -> None:
    boss = Actor(owner.id)
    person = registry.create_person(boss, ALL, "new@example.org", Role.USER, PersonChange(name="New"), site_id=site.id)
    assert person.state == "invited" and person.organization_id == site.organization_id
    made = registry.invite(boss, ALL, "new@example.org", Role.USER, site_id=site.id)
    assert not registry.look_at_invitation(made.token).has_account
    joined = registry.accept_invitation(made.token, "", PASSWORD)
    assert (joined.id, joined.state, joined.name) == (person.id, "active", "New")
    assert len(registry.person(None, joined.id).memberships) == 1
    with pytest.raises(LinkInvalid):
        registry.accept_invitation(made.token, "", PASSWORD)
