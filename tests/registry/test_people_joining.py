"""Invitations, registration, mailed links: each works once, for whom it was meant, until it is too old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import pytest
from sqlalchemy import text

from wattstead.registry.authority import Authority, Reach, Stand
from wattstead.registry.errors import (
    AccountNotActive,
    EmailAlike,
    EmailTaken,
    LinkInvalid,
    LoginFailed,
    LoginLimited,
    NameInvalid,
    PasswordInvalid,
    RoleRefused,
    Unknown,
)
from wattstead.registry.people import accounts
from wattstead.registry.policy import Role
from wattstead.registry.records import Account, Letter, PersonChange, Site
from wattstead.registry.registry import Registry
from wattstead.registry.trail import Actor

PASSWORD, OTHER = "correct horse battery", "staple staple staple"
ALL = Authority((Stand(Role.ADMINISTRATOR, "/"), Stand(Role.OWNER, "/1/")))


class Clock(Protocol):
    now: datetime

    def __call__(self) -> datetime: ...
    def pass_(self, span: timedelta) -> None: ...


@pytest.fixture
def tokens() -> list[str]:
    """The tokens that letters were written with."""
    return []


@pytest.fixture
def write(tokens: list[str]) -> Callable[[str], Letter]:
    def letter(token: str) -> Letter:
        tokens.append(token)
        return Letter("somebody@example.org", "link", token)

    return letter


@pytest.fixture
def joined(registry: Registry, owner: Account, clock: Clock, password_hash: str) -> Account:
    """A person of the owner's organization with a password and no role."""
    with registry._db.writing() as s:
        return accounts.create(s, owner.organization_id, "bob@example.org", password_hash, clock())


def open_registration(registry: Registry) -> None:
    with registry._db.writing() as s:
        s.execute(text("UPDATE organization SET registration = true"))


def test_an_invitation_is_looked_at_and_accepted_once(
    registry: Registry, owner: Account, site: Site, clock: Clock
) -> None:
    made = registry.invite(Actor(owner.id), ALL, "Eve@Example.org", Role.USER, site_id=site.id)
    look = registry.look_at_invitation(made.token)
    assert (look.email, look.role, look.place, look.inviter) == ("eve@example.org", "user", "Mill", owner.email)
    assert [one.id for one in registry.invitations()] == [made.invitation.id]
    with pytest.raises(RoleRefused, match="password"):
        registry.accept_invitation(made.token)
    with pytest.raises(PasswordInvalid):
        registry.accept_invitation(made.token, "Eve", "short")
    eve = registry.accept_invitation(made.token, "Eve", PASSWORD, proven=True)
    assert (eve.name, eve.state, eve.verified, eve.organization_id) == ("Eve", "active", clock(), owner.organization_id)
    signed = registry.signed(registry.login("eve@example.org", PASSWORD))
    assert signed is not None and signed.authority.stands == (Stand(Role.USER, site_id=site.id),)
    for again in (registry.look_at_invitation, registry.accept_invitation):
        with pytest.raises(LinkInvalid):
            again(made.token)
    assert registry.invitations() == [] and registry.broken_trail() is None


def test_invitations_end(registry: Registry, owner: Account, clock: Clock) -> None:
    boss = Actor(owner.id)
    first, second, third = (
        registry.invite(boss, ALL, f"{name}@example.org", Role.AUDITOR, organization_id=1) for name in "abc"
    )
    again = registry.invite(boss, ALL, "a@example.org", Role.AUDITOR, organization_id=1)
    with pytest.raises(Unknown):
        registry.revoke_invitation(boss, second.invitation.id, Reach(("/2/",)))
    registry.revoke_invitation(boss, second.invitation.id, Reach(("/1/",)))
    for void in (first, second):
        with pytest.raises(LinkInvalid):
            registry.look_at_invitation(void.token)
    assert registry.look_at_invitation(again.token).email == "a@example.org"
    assert len(registry.invitations(Reach(("/1/",)))) == 2 and not registry.invitations(Reach(("/2/",)))
    clock.pass_(timedelta(days=14))
    with pytest.raises(LinkInvalid):
        registry.look_at_invitation(third.token)


def test_only_what_one_may_give_is_offered(registry: Registry, owner: Account, site: Site) -> None:
    partner = Authority((Stand(Role.PARTNER, "/1/"),))
    for role, place in (
        (Role.OWNER, {"organization_id": 1}), (Role.OPERATOR, {"organization_id": 1}), (Role.ADMINISTRATOR, {}),
        (Role.GUEST, {"site_id": site.id}),
    ):  # fmt: skip
        with pytest.raises(RoleRefused):
            registry.invite(Actor(owner.id), partner, "a@example.org", role, **place)
    with pytest.raises(RoleRefused):
        registry.invite(
            Actor(owner.id), Authority((Stand(Role.PARTNER, "/7/"),)), "a@b.example", Role.USER, site_id=site.id
        )
    with pytest.raises(NameInvalid):
        registry.invite(Actor(owner.id), ALL, "a@example.org", Role.USER, organization_id=1)
    with pytest.raises(Unknown):
        registry.invite(Actor(owner.id), ALL, "a@example.org", Role.USER, site_id=999)


def test_an_invitation_falls_with_who_made_it(registry: Registry, owner: Account, joined: Account) -> None:
    given = registry.give_role(Actor(owner.id), ALL, joined.id, Role.PARTNER, organization_id=1)
    stand = Authority((Stand(Role.PARTNER, "/1/"),))
    made = registry.invite(Actor(joined.id), stand, "a@example.org", Role.PARTNER, organization_id=1)
    registry.take_role(Actor(owner.id), ALL, joined.id, given.id)
    with pytest.raises(LinkInvalid):
        registry.accept_invitation(made.token, "A", PASSWORD)


def test_who_has_an_account_accepts_signed_in(registry: Registry, owner: Account, joined: Account) -> None:
    made = registry.invite(Actor(owner.id), ALL, joined.email, Role.AUDITOR, organization_id=1)
    assert registry.look_at_invitation(made.token).has_account
    for signed_id in (None, owner.id):
        with pytest.raises(RoleRefused, match="sign in"):
            registry.accept_invitation(made.token, "x", OTHER, signed_id=signed_id)
    assert registry.accept_invitation(made.token, signed_id=joined.id).id == joined.id
    assert registry.login(joined.email, PASSWORD)
    assert [one.role for one in registry.person(None, joined.id).memberships] == ["auditor"]


def test_registration_waits_for_the_address(
    registry: Registry, owner: Account, write: Callable[[str], Letter], tokens: list[str], clock: Clock
) -> None:
    def known() -> Letter:
        return Letter(owner.email, "known", "you have an account")

    def register(email: str) -> None:
        registry.register(1, email, PASSWORD, "Eve", "10.0.0.1", verify=write, known=known)

    with pytest.raises(Unknown):
        register("eve@example.org")
    assert registry.organizations_to_register_in() == []
    open_registration(registry)
    assert registry.organizations_to_register_in() == [(1, "Home")]
    register("eve@example.org")
    register(owner.email)
    assert [mail.letter.subject for mail in registry.take_due_mails()] == ["link", "known"]
    with pytest.raises(AccountNotActive, match="not verified"):
        registry.login("eve@example.org", PASSWORD)
    with pytest.raises(LoginFailed):
        registry.login("eve@example.org", OTHER)
    assert registry.verify(tokens[0]).verified == clock()
    signed = registry.signed(registry.login("eve@example.org", PASSWORD))
    assert signed is not None and signed.authority.stands == ()
    with pytest.raises(LinkInvalid):
        registry.verify(tokens[0])


def test_registration_without_mail(registry: Registry, owner: Account) -> None:
    open_registration(registry)
    registry.register(1, "eve@example.org", PASSWORD, "", "", verify=None, known=None)
    assert registry.login("eve@example.org", PASSWORD)
    with pytest.raises(EmailTaken):
        registry.register(1, "eve@example.org", PASSWORD, "", "", verify=None, known=None)


def test_a_lost_password(
    registry: Registry, owner: Account, joined: Account, write: Callable[[str], Letter], tokens: list[str], clock: Clock
) -> None:
    session = registry.login(joined.email, PASSWORD)
    registry.recover(" BOB@example.org", "10.0.0.1", write)
    registry.recover(joined.email, "10.0.0.1", write)
    registry.recover("nobody@example.org", "10.0.0.1", write)
    registry.recover("no address", "10.0.0.1", write)
    assert len(tokens) == len(registry.take_due_mails()) == 2
    with pytest.raises(LinkInvalid):
        registry.finish_recovery(tokens[0], OTHER)
    with pytest.raises(PasswordInvalid):
        registry.finish_recovery(tokens[1], "short")
    with pytest.raises(LinkInvalid):
        registry.verify(tokens[1])
    assert registry.finish_recovery(tokens[1], OTHER).verified == clock()
    assert registry.signed(session) is None and registry.login(joined.email, OTHER)
    with pytest.raises(LinkInvalid):
        registry.finish_recovery(tokens[1], PASSWORD)


def test_a_recovery_link_ends(
    registry: Registry, owner: Account, joined: Account, write: Callable[[str], Letter], tokens: list[str], clock: Clock
) -> None:
    registry.recover(joined.email, "", write)
    clock.pass_(timedelta(hours=1))
    with pytest.raises(LinkInvalid):
        registry.finish_recovery(tokens[-1], OTHER)
    for change in (PersonChange(email="bobby@example.org"), PersonChange(state="disabled")):
        clock.pass_(timedelta(hours=1))
        registry.recover(registry.person(None, joined.id).account.email, "", write)
        registry.change_person(Actor(owner.id), ALL, joined.id, change)
        with pytest.raises(LinkInvalid):
            registry.finish_recovery(tokens[-1], OTHER)


@pytest.mark.parametrize("email", ["bob@example.org", "nobody@example.org"])
def test_mails_are_not_asked_for_without_end(
    registry: Registry, joined: Account, write: Callable[[str], Letter], email: str
) -> None:
    for _ in range(3):
        registry.recover(email, "10.0.0.1", write)
    with pytest.raises(LoginLimited):
        registry.recover(email.upper(), "10.0.0.2", write)


def test_ones_own_address_changes_when_the_new_one_is_shown(
    registry: Registry, joined: Account, write: Callable[[str], Letter], tokens: list[str], clock: Clock
) -> None:
    with pytest.raises(LoginFailed):
        registry.change_own_email(joined.id, "new@example.org", OTHER, "", write)
    session = registry.login(joined.email, PASSWORD)
    assert not registry.change_own_email(joined.id, "New@example.org", PASSWORD, "", write)
    assert registry.signed(session) is not None
    changed = registry.verify(tokens[0])
    assert (changed.email, changed.verified) == ("new@example.org", clock()) and registry.signed(session) is None
    assert registry.login("new@example.org", PASSWORD)


def test_ones_own_address_without_mail(registry: Registry, owner: Account, joined: Account) -> None:
    assert registry.change_own_email(joined.id, "new@example.org", PASSWORD, "", None)
    with pytest.raises(EmailTaken):
        registry.change_own_email(joined.id, owner.email, PASSWORD, "", None)
    assert registry.person(None, joined.id).account.email == "new@example.org"


@pytest.mark.parametrize(
    ("email", "found"),
    [("bob@example.org.", EmailTaken), ("bob@example.org。", EmailTaken), ("bob@example..org", NameInvalid),
     ("bob@xn--999999999.org", NameInvalid),
     ("ＢＯＢ@example.org", EmailTaken), ("bob@ｅｘａｍｐｌｅ.org", EmailTaken), ("bоb@example.org", NameInvalid),
     ("вов@example.org", EmailAlike), ("bob\u200b@example.org", NameInvalid), ("bob@exa mple.org", NameInvalid)],
)  # fmt: skip
def test_addresses_that_pass_for_others(
    registry: Registry, joined: Account, email: str, found: type[Exception], owner: Account
) -> None:
    with pytest.raises(found):
        registry.create_person(Actor(owner.id), ALL, email, Role.AUDITOR, PersonChange(), organization_id=1)


@pytest.mark.parametrize(
    ("first", "second"),
    [("вов@example.org", "bob@example.org"), ("bob@example.org", "вов@example.org"),
     ("eva@xn--e1asg.example", "eva@eop.example"), ("coco@example.org", "сосо@example.org")],
)  # fmt: skip
def test_no_address_passes_for_another_whichever_came_first(
    registry: Registry, owner: Account, first: str, second: str
) -> None:
    for email in (first, second):
        made = registry.invite(Actor(owner.id), ALL, email, Role.AUDITOR, organization_id=1)
        if email == first:
            registry.accept_invitation(made.token, "One", PASSWORD)
    with pytest.raises(EmailAlike):
        registry.accept_invitation(made.token, "Other", PASSWORD)


def test_addresses_in_other_letters_are_welcome(registry: Registry, owner: Account) -> None:
    for email, plain in (("Jürgen@Bücher.example", "jürgen@xn--bcher-kva.example"), ("почта@пример.рф", None)):
        made = registry.create_person(Actor(owner.id), ALL, email, Role.AUDITOR, PersonChange(), organization_id=1)
        assert made.email == (plain or "почта@xn--e1afmkfd.xn--p1ai")


def test_every_spelling_counts_as_the_same_failed_login(registry: Registry, joined: Account) -> None:
    for email in [
        "bob@example.org",
        "ＢOB@example.org",
        "Bob@EXAMPLE.org ",
        "ｂob@example.org",
        "bＯb@example.org",
    ] * 2:
        with pytest.raises(LoginFailed):
            registry.login(email, OTHER, "10.0.0.1")
    with pytest.raises(LoginLimited):
        registry.login("bob@example.org", PASSWORD, "10.0.0.1")
