"""Filters of the directory: conditions on attributes and tags, of a thing itself and of what stands beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from wattstead.registry import names, tables
from wattstead.registry.authority import Reach
from wattstead.registry.errors import AttributeInvalid, NotTold
from wattstead.registry.people.memberships import counting
from wattstead.registry.places import attributes
from wattstead.registry.places.attributes import Attribute, Kind
from wattstead.registry.reach import belonging, of_devices, of_memberships, of_organizations, of_people
from wattstead.registry.records import Asks, Filter
from wattstead.registry.storage.database import among, integers, possible, starts_with
from wattstead.registry.tables.mapping import Base, ByteText
from wattstead.registry.tables.searched import folded

MOST_FILTERS = 30
MOST_VALUES = 1_000
_DAY = timedelta(days=1)


OF_PEOPLE = frozenset(
    {"customer_number", "address", "postal_code", "delivery_point", "subscription_number", "occupants", "latitude",
     "longitude", "note"}
)  # fmt: skip
"""Attributes of a site that only people with a name of their own are told: not whoever has a link or a key."""
GEOHASH = "geohash"
"""The tag that says where a site is, told as the coordinates are."""


class Sight(msgspec.Struct, frozen=True):
    """What whoever asks may be told of by a filter, beside the things that are listed."""

    people: Reach | None = None
    """Where people may be seen; None: everywhere."""
    devices: Reach | None = None
    """Which devices may be seen of the sites that may; None: all."""
    organizations: Reach | None = None
    """Which organizations may be seen; None: all."""
    of_people: bool = True
    """Whether what a site's attributes say of the people there is told."""
    now: datetime | None = None
    """When it is asked: roles that have ended by then do not count; None: all count."""


ALL = Sight()


class Noun(msgspec.Struct, frozen=True):
    """A kind of thing that is listed."""

    name: str
    table: type[tables.Site] | type[tables.Device]
    attributes: Mapping[str, Attribute]
    tags: type[tables.SiteTag] | type[tables.DeviceTag]
    """The table of its tags."""
    owner: str
    """The column of that table that says whose they are."""


SITES = Noun("site", tables.Site, attributes.SITE, tables.SiteTag, "site_id")
DEVICES = Noun("device", tables.Device, attributes.DEVICE, tables.DeviceTag, "device_id")


def conditions(
    session: Session, noun: Noun, filters: Iterable[Filter], q: str, sight: Sight
) -> list[ColumnElement[bool]]:
    """The conditions that all filters and all words of ``q`` make, as far as ``sight`` lets them ask.

    Raises `AttributeInvalid`, `NotTold`.
    """
    wanted = list(filters)
    if len(wanted) > MOST_FILTERS:
        raise AttributeInvalid("filter", f"is given {len(wanted)} times; at most {MOST_FILTERS} are allowed")
    found = [_condition(session, noun, one, sight) for one in wanted]
    words = names.checked_text("q", q).split()[:10]
    if words and noun is SITES and not sight.of_people:
        raise NotTold("q")
    place = func.instr if session.get_bind().dialect.name == "sqlite" else func.strpos  # LIKE takes twice as long
    return found + [place(noun.table.search, folded(word)) > 0 for word in words]


def of_person(session: Session, wanted: Filter, theirs: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition on `Account` of a filter; of somebody of whom not all is told (``theirs`` does not hold) it asks no
    more than that. Raises `AttributeInvalid`.
    """
    _check_values(wanted)
    first, _, key = wanted.name.partition(".")
    if first == "tag" and key:
        return theirs & _tagged(session, tables.Account.id, tables.PersonTag.account_id, key, wanted)
    is_day = wanted.values[0][:4].isdecimal()
    if wanted.name == "second_factor" or (wanted.name == "verified" and wanted.test is Asks.IN and not is_day):
        column = tables.Account.totp_sealed if wanted.name == "second_factor" else tables.Account.verified
        has = attributes.read(Attribute(wanted.name, Kind.YES), wanted.values[0])
        return theirs & (column.is_not(None) if has else column.is_(None))
    found = _compared(session, tables.Account, attributes.PERSON, wanted)
    return found if wanted.name in attributes.OF_EVERYBODY else theirs & found


def _check_values(wanted: Filter) -> None:
    if not wanted.values or len(wanted.values) > MOST_VALUES:
        raise AttributeInvalid(wanted.name, f"is given {len(wanted.values)} values; give 1 to {MOST_VALUES}")
    for value in (wanted.name, *wanted.values):
        names.checked_text("filter", value)


def _condition(session: Session, noun: Noun, wanted: Filter, sight: Sight) -> ColumnElement[bool]:
    _check_values(wanted)
    first, _, rest = wanted.name.partition(".")
    if rest and first == "tag":
        if rest == GEOHASH and not sight.of_people:
            raise NotTold(wanted.name)
        return _tagged(session, noun.table.id, getattr(noun.tags, noun.owner), rest, wanted)
    if rest and {first, noun.name} == {"site", "device"} and first != noun.name:
        return _beside(session, noun, msgspec.structs.replace(wanted, name=rest), sight)
    if rest and first == "person" and noun is SITES:
        return _belonging(session, msgspec.structs.replace(wanted, name=rest), sight)
    if wanted.name == "organization_id":
        return noun.table.organization_id.in_(integers(session, _ids(wanted)))
    if wanted.name == "branch":
        return noun.table.organization_id.in_(_branches(session, _ids(wanted), sight))
    require_told(noun, wanted.name, sight)
    return _compared(session, noun.table, noun.attributes, wanted)


def require_told(noun: Noun, name: str, sight: Sight) -> None:
    """Raise `NotTold` for an attribute that must neither be filtered nor sorted by."""
    if noun is SITES and name in OF_PEOPLE and not sight.of_people:
        raise NotTold(name)


def _compared(
    session: Session, table: type[Base], known: Mapping[str, Attribute], wanted: Filter
) -> ColumnElement[bool]:
    attribute = known.get(wanted.name)
    if attribute is None:
        raise AttributeInvalid(wanted.name, f"is no attribute to filter by; there are {', '.join(known)}")
    column: InstrumentedAttribute[Any] = getattr(table, wanted.name)
    text = attribute.kind in (Kind.TEXT, Kind.ZONE)
    if wanted.test is Asks.EMPTY:
        empty: ColumnElement[bool] = column == "" if text else column.is_(None)
        return empty if attributes.read(_YES, wanted.values[0]) else ~empty
    if text:
        return _of_text(session, column, wanted, is_folded=table is tables.Account)
    return _of_number(attribute, column, wanted)


_YES = Attribute("empty", Kind.YES)


def _of_text(
    session: Session, column: InstrumentedAttribute[str], wanted: Filter, *, is_folded: bool = False
) -> ColumnElement[bool]:
    """``is_folded``: capitals and small letters count as the same, as with people's names."""
    if wanted.test is Asks.CONTAINS:
        return column.icontains(wanted.values[0], autoescape=True)
    if wanted.test is Asks.IN and is_folded:
        return func.lower(column).in_([value.lower() for value in wanted.values])
    if wanted.test is Asks.PREFIX and is_folded:
        return column.istartswith(wanted.values[0], autoescape=True)
    if wanted.test is Asks.IN:
        if len(wanted.values) == 1:
            return column == wanted.values[0]
        return among(session, column, wanted.values)
    if wanted.test is Asks.PREFIX:
        prefix = wanted.values[0]
        if getattr(column, "type", None) is ByteText:
            return starts_with(column, prefix)
        return func.substr(column, 1, len(prefix)) == prefix
    raise AttributeInvalid(wanted.name, f"is a text; {wanted.test} asks for numbers and dates")


def _of_number(attribute: Attribute, known: InstrumentedAttribute[Any], wanted: Filter) -> ColumnElement[bool]:
    column: ColumnElement[Any] = known.expression
    if wanted.test in (Asks.PREFIX, Asks.CONTAINS):
        raise AttributeInvalid(wanted.name, f"is no text; {wanted.test} asks for texts")
    values = [attributes.read(attribute, value) for value in wanted.values]
    bare_days = [attribute.kind is Kind.INSTANT and len(value.strip()) == len("2026-05-31") for value in wanted.values]
    if wanted.test is Asks.FROM:
        return and_(column >= values[0])
    if wanted.test is Asks.TO:
        return and_(column < values[0] + _DAY if bare_days[0] else column <= values[0])
    parts = [
        and_(column >= value, column < value + _DAY) if day else and_(column == value)
        for value, day in zip(values, bare_days, strict=True)
    ]
    return or_(*parts)


def _tagged(
    session: Session,
    thing: InstrumentedAttribute[int],
    owner: InstrumentedAttribute[int],
    key: str,
    wanted: Filter,
) -> ColumnElement[bool]:
    """Of a thing (its id), by the tags whose table says in the column ``owner`` whose they are."""
    table: Any = owner.class_
    if wanted.test is Asks.EMPTY:
        has = thing.in_(select(owner).where(table.key == key))
        return ~has if attributes.read(_YES, wanted.values[0]) else has
    if wanted.test in (Asks.FROM, Asks.TO):
        raise AttributeInvalid(wanted.name, f"is a text; {wanted.test} asks for numbers and dates")
    return thing.in_(select(owner).where(table.key == key, _of_text(session, table.value, wanted)))


def _beside(session: Session, noun: Noun, wanted: Filter, sight: Sight) -> ColumnElement[bool]:
    if noun is SITES:
        device = tables.Device
        told = (_condition(session, DEVICES, wanted, sight), *of_devices(sight.devices))
        found = select(device.site_id).where(*told, device.site_id.is_not(None))
        return tables.Site.id.in_(found)
    return tables.Device.site_id.in_(select(tables.Site.id).where(_condition(session, SITES, wanted, sight)))


def _belonging(session: Session, wanted: Filter, sight: Sight) -> ColumnElement[bool]:
    """Sites with a person like that: only people and roles that may be seen count, lest a filter tells of others.

    Of somebody who belongs elsewhere it asks no more than is told.
    """
    told = [of_person(session, wanted, belonging(sight.people)), *of_people(sight.people)]
    if sight.now is not None:
        told.append(counting(sight.now))
    found = (
        select(tables.Membership.site_id)
        .join(tables.Account, tables.Account.id == tables.Membership.account_id)
        .where(tables.Membership.site_id.is_not(None), *of_memberships(sight.people), *told)
    )
    return tables.Site.id.in_(found)


def _ids(wanted: Filter) -> list[int]:
    if wanted.test is not Asks.IN:
        raise AttributeInvalid(wanted.name, f"is an id; {wanted.test} is no question for it")
    return possible([attributes.read(Attribute(wanted.name, Kind.WHOLE), value) for value in wanted.values])


def _branches(session: Session, organization_ids: list[int], sight: Sight) -> Select[int]:
    """These organizations, and all below those of them that may be seen: how the tree goes on elsewhere is not told."""
    named = tables.Organization.id.in_(integers(session, organization_ids))
    paths = session.scalars(select(tables.Organization.path).where(named, *of_organizations(sight.organizations))).all()
    return select(tables.Organization.id).where(
        or_(named, *(starts_with(tables.Organization.path, path) for path in paths))
    )
