"""The directory: sites and devices searched, filtered, sorted and paged in the database, within a reach.

What is not within reach is neither listed nor counted; nothing is filtered after the database has answered.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, tuple_
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.authority import Reach
from wattstead.registry.errors import AttributeInvalid, Unknown
from wattstead.registry.places import attributes, devices
from wattstead.registry.places.attributes import Attribute, Kind
from wattstead.registry.places.directory.filters import (
    ALL,
    DEVICES,
    SITES,
    Noun,
    Sight,
    conditions,
    require_told,
)
from wattstead.registry.places.sites import sites
from wattstead.registry.points import tags
from wattstead.registry.reach import of_devices, of_people, of_sites
from wattstead.registry.records import Device, Filter, Site
from wattstead.registry.storage.database import integers, possible

LONGEST_PAGE = 500
_EXPORTED_AT_ONCE = 2_000
_MOST_TAGS = 1_000
_MANY = 2_000
"""So many are not gathered to be sorted where an index has them in order."""
_ORGANIZATION = Attribute("organization")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the directory."""

    filters: tuple[Filter, ...] = ()
    q: str = ""
    """Free text: every word is somewhere in the names and numbers of a thing."""
    sort: str = "name"
    """An attribute, or ``organization``."""
    descending: bool = False
    limit: int = 50
    cursor: str = ""
    """From the page before."""


class SiteRow(msgspec.Struct, frozen=True):
    """A site as it is listed."""

    site: Site
    organization: str
    devices: int
    """How many there are to be seen."""


class DeviceRow(msgspec.Struct, frozen=True):
    """A device as it is listed."""

    device: Device
    organization: str
    site: str
    """Name of its site; empty without one."""


class SitePage(msgspec.Struct, frozen=True):
    """A page of sites."""

    rows: list[SiteRow]
    total: int
    cursor: str | None


class DevicePage(msgspec.Struct, frozen=True):
    """A page of devices."""

    rows: list[DeviceRow]
    total: int
    cursor: str | None


def find_sites(session: Session, reach: Reach | None, asked: Question, sight: Sight = ALL) -> SitePage:
    """A page of the sites within reach that meet the question; raises `AttributeInvalid`, `NotTold`."""
    require_told(SITES, asked.sort, sight)
    wanted = [*of_sites(reach), *conditions(session, SITES, asked.filters, asked.q, sight)]
    total, wanted = _counted(session, SITES, asked, wanted)
    found, cursor = _page(session, SITES, asked, wanted, total)
    return SitePage(_site_rows(session, found, sight), total, cursor)


def site_row(session: Session, site_id: int, sight: Sight = ALL) -> SiteRow:
    """A site as it is listed; raises `Unknown`."""
    row = session.get(tables.Site, site_id) if possible([site_id]) else None
    if row is None:
        raise Unknown("site", site_id)
    return _site_rows(session, [row], sight)[0]


def device_row(session: Session, device_id: int) -> DeviceRow:
    """A device as it is listed; raises `Unknown`."""
    row = session.get(tables.Device, device_id) if possible([device_id]) else None
    if row is None:
        raise Unknown("device", device_id)
    return _device_rows(session, [row])[0]


def find_devices(session: Session, reach: Reach | None, asked: Question, sight: Sight = ALL) -> DevicePage:
    """A page of the devices within reach that meet the question; raises `AttributeInvalid`, `NotTold`."""
    wanted = [*of_devices(reach), *conditions(session, DEVICES, asked.filters, asked.q, sight)]
    total, wanted = _counted(session, DEVICES, asked, wanted)
    found, cursor = _page(session, DEVICES, asked, wanted, total)
    return DevicePage(_device_rows(session, found), total, cursor)


class Cells(NamedTuple):
    """Part of an export: what stands in the columns, row by row."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    cursor: str | None
    """Where the next part begins."""


def exported_tags(
    session: Session, noun: Noun, reach: Reach | None, asked: Question, sight: Sight = ALL
) -> tuple[str, ...]:
    """The keys of the tags of all that meets the question, in order: each is a column of its export."""
    found = select(noun.table.id).where(*_exported(session, noun, reach, asked, sight))
    key, owner = noun.tags.key, getattr(noun.tags, noun.owner)
    return tuple(session.scalars(select(key).where(owner.in_(found)).distinct().order_by(key).limit(_MOST_TAGS)))


def exported(
    session: Session,
    noun: Noun,
    reach: Reach | None,
    asked: Question,
    sight: Sight = ALL,
    tag_keys: Sequence[str] = (),
) -> Cells:
    """Some thousand rows of all that meets the question, from its cursor on, in the order asked for; with a column
    ``tag.KEY`` for each of those tags, as imports read them.
    """
    wanted = _exported(session, noun, reach, asked, sight)
    own = tuple(noun.attributes)
    attribute, expression = _sort(noun, asked)
    question = select(
        tables.Organization.name, *(getattr(noun.table, name) for name in own), noun.table.id, expression
    ).join(tables.Organization, tables.Organization.id == noun.table.organization_id)
    columns = ["organization", *own]
    if noun is DEVICES:
        columns.append("site")
        question = question.add_columns(tables.Site.name)
        question = question.outerjoin(tables.Site, tables.Site.id == tables.Device.site_id)
    ordered = _ordered(question, noun, asked, attribute, expression).where(*wanted).limit(_EXPORTED_AT_ONCE)
    rows, width = session.execute(ordered).all(), 1 + len(own)
    more = len(rows) == _EXPORTED_AT_ONCE
    cursor = _cursor(asked, rows[-1][width + 1], rows[-1][width]) if more else None
    ids = [row[width] for row in rows] if tag_keys else []
    theirs = tags.tags_of(session, tables.SITE_TAG if noun is SITES else tables.DEVICE_TAG, ids)
    cells = [
        [*row[:width], *row[width + 2 :], *(theirs.get(row[width], {}).get(key, "") for key in tag_keys)]
        for row in rows
    ]
    return Cells((*columns, *(f"tag.{key}" for key in tag_keys)), cells, cursor)


def _exported(
    session: Session, noun: Noun, reach: Reach | None, asked: Question, sight: Sight
) -> list[ColumnElement[bool]]:
    require_told(noun, asked.sort, sight)
    within = of_sites(reach) if noun is SITES else of_devices(reach)
    return [*within, *conditions(session, noun, asked.filters, asked.q, sight)]


def _site_rows(session: Session, found: Sequence[tables.Site], sight: Sight) -> list[SiteRow]:
    ids = [row.id for row in found]
    own_tags = tags.tags_of(session, tables.SITE_TAG, ids)
    names = _organizations(session, [row.organization_id for row in found])
    theirs = _devices_of(session, ids, sight)
    return [
        SiteRow(sites.record(row, own_tags.get(row.id, {})), names[row.organization_id], theirs.get(row.id, 0))
        for row in found
    ]


def _device_rows(session: Session, found: Sequence[tables.Device]) -> list[DeviceRow]:
    own_tags = tags.tags_of(session, tables.DEVICE_TAG, [row.id for row in found])
    names = _organizations(session, [row.organization_id for row in found])
    places = _site_names(session, [row.site_id for row in found if row.site_id])
    return [
        DeviceRow(
            devices.record(row, own_tags.get(row.id, {})), names[row.organization_id], places.get(row.site_id or 0, "")
        )
        for row in found
    ]


def _page(
    session: Session, noun: Noun, asked: Question, wanted: list[ColumnElement[bool]], total: int
) -> tuple[list[Any], str | None]:
    if not 1 <= asked.limit <= LONGEST_PAGE:
        raise AttributeInvalid("limit", f"is {asked.limit}; give 1 to {LONGEST_PAGE}")
    attribute, expression = _sort(noun, asked)
    if total > _MANY:
        wanted = _walked(session, wanted)
    question: Select[Any] = select(noun.table)
    if attribute is _ORGANIZATION:
        question = question.join(tables.Organization, tables.Organization.id == noun.table.organization_id)
    ordered = _ordered(question.add_columns(expression), noun, asked, attribute, expression).where(*wanted)
    rows: Sequence[Any] = session.execute(ordered.limit(asked.limit + 1)).all()
    cursor = None
    if len(rows) > asked.limit:
        last = rows[asked.limit - 1]
        cursor = _cursor(asked, last[1], last[0].id)
    return [row[0] for row in rows[: asked.limit]], cursor


def _sort(noun: Noun, asked: Question) -> tuple[Attribute, Any]:
    if asked.sort == "organization":
        return _ORGANIZATION, tables.Organization.name
    attribute = noun.attributes.get(asked.sort)
    if attribute is None:
        raise AttributeInvalid("sort", f"is {asked.sort[:40]!r}; give organization, {', '.join(noun.attributes)}")
    return attribute, getattr(noun.table, attribute.name)


def _ordered(question: Any, noun: Noun, asked: Question, attribute: Attribute, column: Any) -> Select[Any]:
    """In order, what nobody has told last, equals by id; after the row of the cursor."""
    own_id = noun.table.id
    has_nulls = attribute is not _ORGANIZATION and noun.table.__table__.c[attribute.name].nullable
    if asked.cursor:
        value, last_id = _read_cursor(asked, attribute)
        question = question.where(_beyond(column, own_id, value, last_id, asked.descending, has_nulls))
    order = [column.desc(), own_id.desc()] if asked.descending else [column, own_id]
    ordered: Select[Any] = question.order_by(*([column.is_(None)] if has_nulls else []), *order)
    return ordered


def _beyond(column: Any, own_id: Any, value: Any, last_id: int, descending: bool, has_nulls: bool) -> Any:
    if value is None:
        return column.is_(None) & (own_id < last_id if descending else own_id > last_id)
    here, there = tuple_(column, own_id), tuple_(value, last_id)
    later = here < there if descending else here > there
    return or_(later, column.is_(None)) if has_nulls else later


def _cursor(asked: Question, value: Any, last_id: int) -> str:
    plain = value.isoformat() if isinstance(value, (date, datetime)) else value
    told = msgspec.json.encode([asked.sort, asked.descending, plain, last_id])
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def _read_cursor(asked: Question, attribute: Attribute) -> tuple[Any, int]:
    wrong = AttributeInvalid("cursor", "does not belong to this list; begin without one")
    try:
        padded = asked.cursor + "=" * (-len(asked.cursor) % 4)
        sort, descending, value, last_id = msgspec.json.decode(
            base64.urlsafe_b64decode(padded), type=tuple[str, bool, str | float | int | bool | None, int]
        )
    except (ValueError, msgspec.DecodeError):
        raise wrong from None
    if (sort, descending) != (asked.sort, asked.descending) or not 0 < last_id < 2**31:
        raise wrong
    if value is None or isinstance(value, bool):
        return value, last_id
    if attribute.kind in (Kind.TEXT, Kind.ZONE) and "\x00" in str(value):
        raise wrong
    return attributes.read(attribute, value), last_id


def _counted(
    session: Session, noun: Noun, asked: Question, wanted: list[ColumnElement[bool]]
) -> tuple[int, list[ColumnElement[bool]]]:
    """How many meet the question, and the conditions to find them by: few are found once, and then by their ids."""
    walked = _walked(session, wanted) if asked.q else wanted
    if asked.q or asked.filters:
        few = session.scalars(select(noun.table.id).where(*walked).limit(_MANY + 1)).all()
        if len(few) <= _MANY:
            return len(few), [noun.table.id.in_(integers(session, few))]
    return session.scalar(select(func.count()).select_from(noun.table).where(*walked)) or 0, wanted


def _walked(session: Session, wanted: list[ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    """Conditions that SQLite does not search by: it walks the rows in order instead of gathering and sorting them."""
    if not wanted or session.get_bind().dialect.name != "sqlite":
        return wanted
    return [func.coalesce(and_(*wanted), false())]


def _organizations(session: Session, ids: Sequence[int]) -> dict[int, str]:
    table = tables.Organization
    return dict(session.execute(select(table.id, table.name).where(table.id.in_(set(ids)))).all())


def _site_names(session: Session, ids: Sequence[int]) -> dict[int, str]:
    return dict(session.execute(select(tables.Site.id, tables.Site.name).where(tables.Site.id.in_(set(ids)))).all())


def _devices_of(session: Session, site_ids: Sequence[int], sight: Sight) -> dict[int, int]:
    """How many devices each site has that may be seen."""
    table = tables.Device
    seen = (table.site_id.in_(site_ids), *of_devices(sight.devices))
    question = select(table.site_id, func.count()).where(*seen).group_by(table.site_id)
    return {site_id: count for site_id, count in session.execute(question) if site_id is not None}


def people_names(session: Session, reach: Reach | None, account_ids: Collection[int]) -> dict[int, str]:
    """Names, else e-mail addresses, of those of these people that are within reach."""
    table = tables.Account
    rows = session.execute(
        select(table.id, table.name, table.email).where(table.id.in_(account_ids), *of_people(reach))
    )
    return {account_id: name or email for account_id, name, email in rows}
