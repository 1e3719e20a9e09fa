"""The directory of people: searched, filtered, sorted and paged in the database; who may see whom comes as a reach.

Of somebody who belongs elsewhere and only has a role at a site within reach there is the e-mail address, and no more:
neither shown, nor to be found, filtered or sorted by.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from wattstead.registry import names, tables
from wattstead.registry.authority import Reach
from wattstead.registry.errors import AttributeInvalid, NameInvalid, Unknown
from wattstead.registry.people.accounts import record
from wattstead.registry.people.memberships import counting
from wattstead.registry.places.attributes import OF_EVERYBODY
from wattstead.registry.places.directory.filters import MOST_FILTERS, of_person
from wattstead.registry.points.tags import tags_of
from wattstead.registry.reach import belonging, of_memberships, of_people
from wattstead.registry.records import Account, Holding, PeoplePage, PeopleQuery, PersonRow

LONGEST_PAGE = 1_000
_Row = tables.Account
_TEXTS = {
    name: getattr(_Row, name)
    for name in (
        "name", "email", "state", "phone", "mobile_phone", "phone_type", "operating_system", "application_version",
        "privacy_state", "locale",
    )
}  # fmt: skip
SORTS = (*_TEXTS, "id", "organization", "created", "last_seen")
_SEARCHED = ("name", "email", "phone", "mobile_phone")


def people(session: Session, reach: Reach | None, query: PeopleQuery, now: datetime) -> PeoplePage:
    """A page of the people within reach; raises `NameInvalid` for an attribute, sort or cursor that there is not."""
    theirs = belonging(reach)
    conditions = [*of_people(reach), *_conditions(session, query, theirs, reach, now)]
    total = session.scalar(select(func.count()).select_from(_Row).where(*conditions)) or 0
    key = _sort_key(query.sort, theirs)
    order = [key.desc(), _Row.id.desc()] if query.descending else [key, _Row.id]
    limit = max(1, min(query.limit, LONGEST_PAGE))
    question = (
        select(_Row, tables.Organization, key, theirs)
        .join(tables.Organization, tables.Organization.id == _Row.organization_id)
        .where(*conditions, *_after(query, key))
        .order_by(*order)
        .limit(limit + 1)
    )
    rows = session.execute(question).all()
    held = _memberships(session, reach, [row.id for row, *_ in rows[:limit]])
    tags = tags_of(session, tables.PERSON_TAG, [row.id for row, _, _, belongs in rows[:limit] if belongs])
    found = [
        PersonRow(_told(row, belongs), _shown(reach, organization), held.get(row.id, []), tags.get(row.id, {}))
        for row, organization, _, belongs in rows[:limit]
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return PeoplePage(found, total, _cursor(last[2], last[0].id) if last is not None else "")


def person(session: Session, reach: Reach | None, account_id: int) -> PersonRow:
    """One person within reach as the directory shows it; raises `Unknown`."""
    found = session.execute(select(_Row, belonging(reach)).where(_Row.id == account_id, *of_people(reach))).first()
    if found is None:
        raise Unknown("person", account_id)
    row, belongs = found
    organization = session.get_one(tables.Organization, row.organization_id)
    held = _memberships(session, reach, [row.id]).get(row.id, [])
    tags = tags_of(session, tables.PERSON_TAG, [row.id] if belongs else []).get(row.id, {})
    return PersonRow(_told(row, belongs), _shown(reach, organization), held, tags)


def is_known(session: Session, reach: Reach | None, account_id: int) -> bool:
    """Whether a person is within reach."""
    return session.scalar(select(_Row.id).where(_Row.id == account_id, *of_people(reach))) is not None


def tag_keys(session: Session, reach: Reach | None, query: PeopleQuery, now: datetime) -> tuple[str, ...]:
    """The keys of the tags of all that are told of within the question, in order: each is a column of its export."""
    theirs, tag = belonging(reach), tables.PersonTag
    found = select(_Row.id).where(theirs, *of_people(reach), *_conditions(session, query, theirs, reach, now))
    return tuple(session.scalars(select(tag.key).where(tag.account_id.in_(found)).distinct().order_by(tag.key)))


def _told(row: tables.Account, belongs: bool) -> Account:
    """What may be told of a person."""
    found = record(row)
    if belongs:
        return found
    blank = {name: "" for name in _TEXTS if name not in OF_EVERYBODY}
    return msgspec.structs.replace(found, **blank, organization_id=0, verified=None, last_seen=None, has_totp=False)


def _conditions(
    session: Session, query: PeopleQuery, theirs: ColumnElement[bool], reach: Reach | None, now: datetime
) -> list[ColumnElement[bool]]:
    words = names.checked_text("q", query.q).split()[:10]
    found: list[ColumnElement[bool]] = [
        or_(
            _Row.email.icontains(word, autoescape=True),
            theirs & or_(*(_TEXTS[name].icontains(word, autoescape=True) for name in _SEARCHED)),
        )
        for word in words
    ]
    if len(query.filters) > MOST_FILTERS:
        raise AttributeInvalid("filter", f"is given {len(query.filters)} times; at most {MOST_FILTERS} are allowed")
    found += [of_person(session, wanted, theirs) for wanted in query.filters]
    if query.organization_id is not None:
        found.append(theirs & (_Row.organization_id == query.organization_id))
    member = tables.Membership
    roles: list[ColumnElement[bool]] = []
    if query.role:
        roles.append(member.role == query.role)
    if query.site_id is not None:
        roles.append(member.site_id == query.site_id)
    if roles:  # those that are told, and hold: a filter asks about no other place
        roles += [*of_memberships(reach), counting(now)]
        found.append(_Row.id.in_(select(member.account_id).where(*roles)))
    return found


def _sort_key(sort: str, theirs: ColumnElement[bool]) -> ColumnElement[Any]:
    """What is sorted by; of somebody who belongs elsewhere it is empty, as it is shown."""
    if sort == "last_seen":
        return func.coalesce(case((theirs, _Row.last_seen)), _Row.created)
    key = _own_sort_key(sort)
    return key if sort in OF_EVERYBODY else case((theirs, key), else_="")


def _own_sort_key(sort: str) -> ColumnElement[Any]:
    if sort in ("name", "phone", "mobile_phone"):
        return func.lower(_TEXTS[sort])
    if sort in _TEXTS:
        return _TEXTS[sort]  # type: ignore[no-any-return]
    if sort == "organization":
        return func.lower(tables.Organization.name)
    if sort == "id":
        return _Row.id.expression
    if sort == "created":
        return _Row.created.expression
    raise NameInvalid("sort", sort, f"is none of people; give one of {', '.join(SORTS)}")


def _after(query: PeopleQuery, key: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    if not query.cursor:
        return []
    try:
        told, last = msgspec.json.decode(base64.urlsafe_b64decode(query.cursor), type=tuple[str | int, int])
        names.checked_text("cursor", str(told))
        value = datetime.fromisoformat(str(told)) if query.sort in ("created", "last_seen") else told
        if isinstance(value, int) != (query.sort == "id") or getattr(value, "tzinfo", UTC) is None:
            raise ValueError("of another sort")
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise NameInvalid("cursor", query.cursor, "is none of this list; begin again without it") from error
    beyond, ties = (key < value, _Row.id < last) if query.descending else (key > value, _Row.id > last)
    return [or_(beyond, (key == value) & ties)]


def _cursor(value: object, account_id: int) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((value, account_id))).decode()


def _shown(reach: Reach | None, organization: tables.Organization) -> str:
    """The name of a person's organization, if that is one's to know."""
    return organization.name if reach is None or reach.holds(organization.path) else ""


def _memberships(session: Session, reach: Reach | None, account_ids: Sequence[int]) -> dict[int, list[Holding]]:
    """The roles within reach of each of these people."""
    rows = session.execute(
        select(tables.Membership, tables.Organization.name, tables.Site.name)
        .outerjoin(tables.Organization, tables.Organization.id == tables.Membership.organization_id)
        .outerjoin(tables.Site, tables.Site.id == tables.Membership.site_id)
        .where(tables.Membership.account_id.in_(account_ids), *of_memberships(reach))
        .order_by(tables.Membership.id)
    )
    found: dict[int, list[Holding]] = {}
    for row, organization, site in rows:
        holding = Holding(
            id=row.id,
            role=row.role,
            organization_id=row.organization_id,
            organization=organization,
            site_id=row.site_id,
            site=site,
            expires=row.expires,
            suspended=row.suspended,
        )
        found.setdefault(row.account_id, []).append(holding)
    return found
