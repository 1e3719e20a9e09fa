"""Changes to people by those above them: attributes, address, state, roles, deletion, looking through their eyes.

Every change is noted in the trail. Who may lay hands on whom follows from what one may give: see `Authority.above`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from wattstead.registry import names, tables, trail
from wattstead.registry.authority import Authority
from wattstead.registry.errors import NameInvalid, RoleRefused, Stale
from wattstead.registry.people import accounts, links, memberships, roles, sessions
from wattstead.registry.places.sites import shares
from wattstead.registry.points import tags
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import Account, PersonChange
from wattstead.registry.storage import dataset
from wattstead.registry.trail import Actor

_ATTRIBUTES = (
    "phone", "mobile_phone", "phone_type", "operating_system", "application_version", "privacy_state", "locale",
)  # fmt: skip


def change(
    session: Session,
    actor: Actor,
    authority: Authority,
    account_id: int,
    told: PersonChange,
    version: int | None,
    now: datetime,
) -> Account:
    """Change what is told; a new address is not verified and ends the sessions, and so does disabling.

    Raises `Unknown`, `Stale`, `RoleRefused`, `EmailTaken`, `NameInvalid`.
    """
    right = Right(Action.CHANGE, Resource.PERSON)
    row = _in_hand(session, actor, authority, right, account_id, version, now)
    before = _fields(session, row)
    _put_attributes(row, told)
    tags.put_tags(session, tables.PERSON_TAG, row.id, told.tags)
    if told.email is not None and actor.account_id == account_id:
        raise RoleRefused("email.own", "change the own address on the own account's page, with the password")
    if told.email is not None and not authority.reach(right).everywhere:
        raise RoleRefused(
            "email.administrator",
            "only who runs the platform changes the e-mail address of somebody else; they can change it themselves",
        )
    if told.email is not None:
        put_email(session, row, told.email, verified=None)
    if told.state is not None and told.state != row.state:
        _put_state(session, actor, row, told.state, now)
        session.flush()
        shares.end_given(session, account_id, now, actor)
    row.version += 1
    session.flush()
    _note(session, now, actor, Action.CHANGE.value, row, before, _fields(session, row))
    dataset.bump(session)
    return accounts.record(row)


def check_in_hand(session: Session, actor: Actor, authority: Authority, account_id: int, now: datetime) -> None:
    """Raise `Unknown`, `RoleRefused` unless somebody may change that person."""
    _in_hand(session, actor, authority, Right(Action.CHANGE, Resource.PERSON), account_id, None, now)


def check_attributes(told: PersonChange) -> None:
    """Raise `NameInvalid` for words that cannot be set."""
    _put_attributes(tables.Account(), told)
    tags.checked({key: value for key, value in told.tags.items() if value})


def put_attributes(session: Session, account_id: int, told: PersonChange) -> Account:
    """Set the words of a person who was just made; raises `NameInvalid`."""
    row = accounts.row_of(session, account_id)
    _put_attributes(row, told)
    tags.put_tags(session, tables.PERSON_TAG, account_id, told.tags)
    session.flush()
    return accounts.record(row)


def put_email(session: Session, row: tables.Account, email: str, verified: datetime | None) -> None:
    """Give an account another address; what was mailed to the old one is void, and the sessions end."""
    accounts.put_email(session, row, email)
    row.verified = verified
    links.void(session, row.id)
    sessions.end_all(session, row.id)


def remove(
    session: Session, actor: Actor, authority: Authority, account_id: int, version: int | None, now: datetime
) -> None:
    """Delete a person for good, with names, sessions, roles and what the trail says of them in words."""
    row = _in_hand(session, actor, authority, Right(Action.DELETE, Resource.PERSON), account_id, version, now)
    roles.check_not_self(actor, account_id)
    roles.check_not_last(session, account_id, now)
    organization_id, row.state = row.organization_id, "disabled"  # nobody's, for what this person has given
    session.flush()
    shares.end_given(session, account_id, now, actor)
    session.execute(update(tables.ShareLink).where(tables.ShareLink.maker_id == account_id).values(revoked=now))
    trail.erase_person(session, account_id, row.email)
    session.execute(delete(tables.Mail).where(tables.Mail.to == row.email))
    session.execute(delete(tables.Invitation).where(tables.Invitation.email == row.email))
    sessions.end_all(session, account_id)
    session.execute(delete(tables.Account).where(tables.Account.id == account_id))
    trail.note(
        session, now, actor, Action.DELETE.value, Resource.PERSON, account_id, organization_id=organization_id
    )  # fmt: skip
    dataset.bump(session)


def impersonate(
    session: Session,
    actor: Actor,
    authority: Authority,
    account_id: int,
    now: datetime,
    *,
    reason: str = "",
    agent: str = "",
    address: str = "",
) -> str:
    """The token of a short session in which an administrator looks through somebody's eyes; raises `RoleRefused`."""
    row = accounts.row_of(session, account_id)
    path = memberships.place_path(session, row.organization_id, None)
    if actor.impersonator_id is not None or actor.account_id is None or actor.account_id == account_id:
        raise RoleRefused("eyes.other", "end this session of somebody else first, or choose another person")
    if not authority.may(Right(Action.IMPERSONATE, Resource.PERSON), path):
        raise RoleRefused(
            "eyes.administrator", "only an administrator of the platform may look through somebody's eyes"
        )
    if row.state != "active" or any(role is Role.ADMINISTRATOR for role, *_ in memberships.held(session, row.id, now)):
        raise RoleRefused(
            "eyes.whose", "nobody looks through the eyes of an administrator, or of an account that is not active"
        )
    token = sessions.create(session, account_id, now, agent=agent, address=address, impersonator_id=actor.account_id)
    trail.note(
        session,
        now,
        actor,
        Action.IMPERSONATE.value,
        Resource.PERSON,
        account_id,
        organization_id=row.organization_id,
        reason=names.checked_text("reason", reason)[: names.LONGEST_NAME],
    )
    return token


def _in_hand(
    session: Session,
    actor: Actor,
    authority: Authority,
    right: Right,
    account_id: int,
    version: int | None,
    now: datetime,
) -> tables.Account:
    """The row of a person on whom one may lay hands, at the version that one knows.

    That takes the right where the account belongs, and every role that the person has: a share given is no hand on whom
    it was given to.
    """
    row = accounts.row_of(session, account_id)
    if version is not None and row.version != version:
        raise Stale("person", account_id, row.version, version)
    home_path = memberships.place_path(session, row.organization_id, None)
    if actor.account_id != account_id and not authority.may(right, home_path):
        raise RoleRefused(
            "person.elsewhere",
            "this account belongs to another organization; you may only take back the role you gave it",
        )
    if actor.account_id != account_id and not authority.above(memberships.held(session, account_id, now)):
        raise RoleRefused("person.above", "this person has a role that you could not give; ask whoever gave it")
    return row


def _put_attributes(row: tables.Account, told: PersonChange) -> None:
    if told.name is not None:
        row.name = accounts.checked_name(told.name)
    for attribute in _ATTRIBUTES:
        text = getattr(told, attribute)
        if text is not None:
            setattr(row, attribute, names.checked(attribute, text.strip()) if text.strip() else "")


def _put_state(session: Session, actor: Actor, row: tables.Account, state: str, now: datetime) -> None:
    if {state, row.state} != {"active", "disabled"} and (row.state, state) != ("invited", "disabled"):
        raise NameInvalid("state", state, f"cannot follow {row.state}; give active or disabled")
    if state == "disabled":
        roles.check_not_self(actor, row.id)
        roles.check_not_last(session, row.id, now)
        sessions.end_all(session, row.id)
        links.void(session, row.id)
    row.state = "invited" if state == "active" and not row.password_hash and row.verified is None else state


def _fields(session: Session, row: tables.Account) -> dict[str, object]:
    theirs = tags.tags_of(session, tables.PERSON_TAG, [row.id]).get(row.id, {})
    fields = {name: getattr(row, name) for name in ("name", "email", "state", *_ATTRIBUTES)}
    return fields | {f"tag.{key}": value for key, value in theirs.items()}


def _note(
    session: Session,
    now: datetime,
    actor: Actor,
    action: str,
    row: tables.Account,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    trail.note(
        session,
        now,
        actor,
        action,
        Resource.PERSON,
        row.id,
        organization_id=row.organization_id,
        before=before,
        after=after,
    )
