"""Lines of a table made into sites, devices and people, each with the rights of whoever brought the table.

A preview does everything but write. A line that fails is told and left out; the others are not held up by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from wattstead.metering.errors import WattsteadError
from wattstead.registry.errors import AttributeInvalid, Unknown
from wattstead.registry.people.emails import checked as checked_email
from wattstead.registry.people.emails import look
from wattstead.registry.places import attributes
from wattstead.registry.places.attributes import Attribute
from wattstead.registry.points.tags import checked as checked_tags
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import Organization, PersonChange, PersonRow
from wattstead.web.access.gate import actor
from wattstead.web.access.people import invitation_link, invitation_writer
from wattstead.web.access.viewer import Viewer
from wattstead.web.files.tables_in import Fault, Line, Sheet
from wattstead.web.problem import code_of
from wattstead.web.rooms import Rooms

_BESIDE = {"organization", "organization_id"}
_PERSON = frozenset({"name", "phone", "mobile_phone", "phone_type", "operating_system", "application_version",
                     "privacy_state", "locale"})  # fmt: skip


class Kind(NamedTuple):
    """What the lines of a table are."""

    resource: Resource
    attributes: Mapping[str, Attribute]
    more: frozenset[str]
    """Columns beside attributes."""


KINDS = {
    "sites": Kind(Resource.SITE, attributes.SITE, frozenset(_BESIDE | {"id"})),
    "devices": Kind(Resource.DEVICE, attributes.DEVICE, frozenset(_BESIDE | {"id", "site_id", "site", "template"})),
    "people": Kind(Resource.PERSON, attributes.PERSON, frozenset(_BESIDE | {"email", "role", "site_id", "site"})),
}
_IGNORED = frozenset({"created", "last_seen", "mobile_bytes", "posting", "revision", "prefix", "verified", "state",
                      "completeness", "connection_state"})  # fmt: skip
"""Columns of an export that nobody gives; of sites ``state`` is given."""


class Plan(NamedTuple):
    """What becomes of a table."""

    create: int
    change: int
    problems: list[Fault]
    links: list[tuple[int, str, str]]
    """Line, e-mail address and invitation of each person who was made where no mail is sent."""


class Importer:
    """Lines of one kind, with the rights of one person; to be used in a thread."""

    def __init__(self, rooms: Rooms, viewer: Viewer, kind: Kind) -> None:
        self.rooms, self.registry, self.viewer, self.kind = rooms, rooms.registry, viewer, kind
        see = viewer.authority.reach(Right(Action.SEE, Resource.ORGANIZATION))
        self._organizations = {one.id: one for one in self.registry.organizations(see)}
        self._emails: set[str] = set()
        self._links: list[tuple[int, str, str]] = []
        self._by_name: dict[str, list[Organization]] = {}
        for one in self._organizations.values():
            self._by_name.setdefault(one.name.casefold(), []).append(one)

    def planned(self, sheet: Sheet) -> Plan:
        """What would become of the lines."""
        return self._each(sheet, write=False)

    def applied(self, sheet: Sheet) -> Plan:
        """What has become of the lines."""
        return self._each(sheet, write=True)

    def _each(self, sheet: Sheet, write: bool) -> Plan:
        problems = list(sheet.problems)
        unknown = [name for name in sheet.columns if not self._known(name)]
        left_out = "is no column of this list and is left out"
        problems += [Fault(1, name, left_out, "column.unknown") for name in unknown if name]
        count = {True: 0, False: 0}
        make: Callable[[Line, bool], bool] = {
            Resource.SITE: self._site, Resource.DEVICE: self._device, Resource.PERSON: self._person,
        }[self.kind.resource]  # fmt: skip
        self._emails, self._links = set(), []
        for line in sheet.lines:
            try:
                count[make(line, write)] += 1
            except WattsteadError as error:
                column = error.name if isinstance(error, AttributeInvalid) else ""
                problems.append(Fault(line.number, column, str(error), *code_of(error)))
        return Plan(count[True], count[False], problems, self._links)

    def _site(self, line: Line, write: bool) -> bool:
        """Whether a site is new, else it is changed."""
        given, tags, by = self._given(line), self._tags(line), actor(self.viewer)
        if line.cells.get("id"):
            site_id = self._identity(line, "id", Action.CHANGE, Resource.SITE)
            self._check_state(site_id, given)
            if write:
                self.registry.change_site(site_id, attributes=given, tags=tags, by=by)
            return False
        organization = self._organization(line, Right(Action.CREATE, Resource.SITE))
        for name in ("name", "zone"):
            if not given.get(name):
                raise AttributeInvalid(name, "is missing")
        if write:
            self.registry.create_site(
                organization.id, given.pop("name"), given.pop("zone"), given.pop("note", ""), tags, attributes=given,
                by=by,
            )  # fmt: skip
        return True

    def _check_state(self, site_id: int, given: Mapping[str, Any]) -> None:
        """Raise `AttributeInvalid` where a grant of the site does not carry what is given."""
        own = self.viewer.authority.reach(Right(Action.CHANGE, Resource.SITE)).own
        changes = "state" in given and given["state"] != self.registry.site(site_id).state
        if changes and not self.registry.within(Resource.SITE, site_id, own)[0]:
            raise AttributeInvalid("state", "is not changed by a grant; ask the site's own organization")

    def _device(self, line: Line, write: bool) -> bool:
        given, tags, by = self._given(line), self._tags(line), actor(self.viewer)
        if line.cells.get("id"):
            device_id = self._identity(line, "id", Action.CHANGE, Resource.DEVICE)
            if write:
                self.registry.change_device(device_id, attributes=given, tags=tags, by=by)
            return False
        if not given.get("name"):
            raise AttributeInvalid("name", "is missing")
        create = Right(Action.CREATE, Resource.DEVICE)
        site_id = self._at_site(line, create) if line.cells.get("site_id") else None
        organization_id = None if site_id else self._organization(line, create).id
        template = line.cells.get("template", "")
        if template:
            self.registry.template(template, None, self.viewer.authority.reach(Right(Action.SEE, Resource.TEMPLATE)))
        if write and template:
            self.registry.create_device_from_template(
                site_id, template, given, organization_id=organization_id, tags=tags, by=by
            )
        elif write:
            name = given.pop("name")
            self.registry.create_device(
                site_id, name, organization_id=organization_id, attributes=given, tags=tags, by=by
            )
        return True

    def _person(self, line: Line, write: bool) -> bool:
        """Whether a person is new, else they are changed: whose id and e-mail address stand in the line."""
        cells, tags = line.cells, self._tags(line)
        email = checked_email(cells.get("email", ""))
        if look(email) in self._emails:
            raise AttributeInvalid("email", f"{email} is that of a line above")
        told = PersonChange(**{name: cells[name] for name in _PERSON if cells.get(name)}, tags=tags)
        known = self._known_person(line, email)
        if known is None:
            self._new_person(line, email, told, write)
        else:
            _check_held(line, known)
            who, authority, person_id = actor(self.viewer), self.viewer.authority, known.account.id
            self.registry.check_change(who, authority, person_id, told)
            self._emails.add(look(email))
            if write:
                self.registry.change_person(who, authority, person_id, told)
        return known is None

    def _known_person(self, line: Line, email: str) -> PersonRow | None:
        """The person of a line of an export; in one of another server the id is somebody else's, or nobody's."""
        if not line.cells.get("id"):
            return None
        see = self.viewer.authority.reach(Right(Action.SEE, Resource.PERSON))
        try:
            found = self.registry.person(see, self._number(line, "id"))
        except Unknown:
            return None
        return found if found.account.email == email else None

    def _new_person(self, line: Line, email: str, told: PersonChange, write: bool) -> None:
        cells = line.cells
        try:
            role = Role(cells.get("role") or Role.USER.value)
        except ValueError:
            raise AttributeInvalid("role", f"is none; give one of {', '.join(Role)}") from None
        create = Right(Action.CREATE, Resource.PERSON)
        place: dict[str, int] = {}
        if cells.get("site_id"):
            place["site_id"] = self._at_site(line, create)
            path = self._path_of_site(place["site_id"])
        else:
            organization = self._organization(line, create)
            place["organization_id"], path = organization.id, organization.path
        if not self.viewer.authority.gives(role, path, place.get("site_id", 0)):
            raise AttributeInvalid("role", f"{role.value} is not yours to give there")
        who, authority = actor(self.viewer), self.viewer.authority
        self.registry.check_person(authority, email, role, told, **place)
        self._emails.add(look(email))
        if write:
            account = self.registry.create_person(who, authority, email, role, told, **place)
            made = self.registry.invite(
                who, authority, email, role, told=None if account else told, write=invitation_writer(self.rooms),
                **place,
            )  # fmt: skip
            link = invitation_link(self.rooms, made)
            if link is not None:
                self._links.append((line.number, email, link))

    def _given(self, line: Line) -> dict[str, Any]:
        """The attributes of a line as they are stored; an empty cell says nothing."""
        known = self.kind.attributes
        given = {name: text for name, text in line.cells.items() if text and name in known and known[name].given}
        return attributes.checked(known, given)

    def _tags(self, line: Line) -> dict[str, str]:
        tags = {name.removeprefix("tag."): text for name, text in line.cells.items() if name.startswith("tag.")}
        return checked_tags({key: value for key, value in tags.items() if value})

    def _organization(self, line: Line, right: Right) -> Organization:
        """The organization of a line: by id, by name, or the only one."""
        told, name = line.cells.get("organization_id", ""), line.cells.get("organization", "")
        found: list[Organization] = []
        if told:
            found = [one for one in self._organizations.values() if str(one.id) == told]
            if found and name:
                _check_name("organization", name, found[0].name, told)
        elif name:
            found = self._by_name.get(name.casefold(), [])
        else:
            branch = self.viewer.authority.reach(right).own_branch
            found = [one for one in self._organizations.values() if one.path == branch]
        if len(found) != 1:
            raise AttributeInvalid("organization", "is not known, or there are several; give organization_id")
        if not self.viewer.authority.may(right, found[0].path):
            raise AttributeInvalid("organization", f"is none in which you may {right}")
        return found[0]

    def _at_site(self, line: Line, right: Right) -> int:
        site_id = self._number(line, "site_id")
        self._require(Resource.SITE, site_id, Right(Action.SEE, Resource.SITE), right, "site_id")
        if name := line.cells.get("site", ""):
            _check_name("site", name, self.registry.site(site_id).name, str(site_id))
        return site_id

    def _path_of_site(self, site_id: int) -> str:
        return self.registry.organization(self.registry.site(site_id).organization_id).path

    def _identity(self, line: Line, column: str, action: Action, resource: Resource) -> int:
        identity = self._number(line, column)
        self._require(resource, identity, Right(Action.SEE, resource), Right(action, resource), column)
        return identity

    def _require(self, resource: Resource, identity: int, seeing: Right, right: Right, column: str) -> None:
        reaches = (self.viewer.authority.reach(one) for one in (seeing, right))
        seen, allowed = self.registry.within(resource, identity, *reaches)
        if not seen:
            raise AttributeInvalid(column, f"{identity} does not exist, or is not yours to see")
        if not allowed:
            raise AttributeInvalid(column, f"{identity} is none that you may {right}")

    def _number(self, line: Line, column: str) -> int:
        text = line.cells[column]
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise AttributeInvalid(column, f"is {text[:40]!r}; give an id")
        return int(text)

    def _known(self, name: str) -> bool:
        known = self.kind.attributes.get(name)
        return bool(known) or name in self.kind.more or name in _IGNORED or name.startswith("tag.")


def _check_name(column: str, told: str, name: str, identity: str) -> None:
    """Raise `AttributeInvalid` where id and name of a line are of two things: an id of another server, or a mistake."""
    if told.strip() != name:
        raise AttributeInvalid(column, f"is {told[:40]!r}, and {identity} is called otherwise; mend one of them")


def _check_held(line: Line, known: PersonRow) -> None:
    """Raise `AttributeInvalid` for a role that the person does not have there: a table gives and takes no roles."""
    role, site, organization = (line.cells.get(name, "") for name in ("role", "site_id", "organization_id"))
    held = any(
        role in ("", one.role)
        and site in ("", str(one.site_id))
        and (site or organization in ("", str(one.organization_id)))
        for one in known.memberships
    )
    if (role or site or organization) and not held:
        raise AttributeInvalid("role", "is not what this person has there; change it on their page")
