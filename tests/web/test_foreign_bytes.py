"""Random requests of one organization's people about another's things: not one foreign byte comes back.

Everything of the other organization carries a mark; ids, filters, bodies and addresses are drawn at random, many
of them the other's real ones. `make test` sends 20,000, `make prove` a million (or ``WATTSTEAD_FOREIGN_REQUESTS``).
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from litestar.routes import HTTPRoute

from wattstead.registry import tables
from wattstead.registry.people import accounts, memberships, sessions
from wattstead.registry.places.sources import Given
from wattstead.registry.policy import Role
from wattstead.registry.records import PointDeclaration, Scope
from wattstead.web.pulses.routes import ANSWERS

if TYPE_CHECKING:
    from tests.web.conftest import Office

REQUESTS = 20_000
MANY = int(os.environ.get("WATTSTEAD_FOREIGN_REQUESTS", "1000000"))
"""Of the long proof; a part of them where time is short."""
RENEWED = 500
"""So many requests of one person."""
MARK = "zanzibar"
"""In every name, address, tag and note of the other organization."""
_SKIPPED = ("/api/v1/live", "/api/v1/session", "/api/v1/account", "/api/v1/recover", "/api/v1/register", "/api/v1/docs",
            "/api/v1/openapi.json", "/api/v1/reason", "/api/v1/verify")  # fmt: skip
"""Streams, and what concerns nobody but oneself or writes mails."""


_PULSES = ("/pulses/", *(f"/{word}/" for word in ANSWERS))
"""Of the pulse API, whose visitors show no session: to them every meter that is not open is none."""


class Other:
    """Two organizations side by side, the second marked; who asks is a person of the first."""

    def __init__(self, office: Office) -> None:
        registry = self.registry = office.registry
        self.office, self.chance = office, random.Random(20_261_121)
        self.ids: set[int] = {0, -1, 2**31, 2**63, 10**30}
        mine = registry.create_organization("Mine")
        theirs = registry.create_organization(f"Org {MARK}")
        for organization, mark in ((mine, "own"), (theirs, MARK)):
            below = registry.create_organization(f"Branch {mark}", organization.id)
            site = registry.create_site(below.id, f"Site {mark}", "UTC", f"note {mark}", {"city": mark})
            device = registry.create_device(site.id, f"Device {mark}")
            space = registry.create_space(site.id, f"Hall {mark}", kind="building")
            declared = [PointDeclaration(address=f"{mark}/power", name=f"Power {mark}", unit="W", tags={"room": mark})]
            declared += [
                PointDeclaration(address=f"pulse/1/{name}", name=f"{name} {mark}") for name in ("blinks", "ms")
            ]
            points = registry.create_points(site.id, declared)
            key = registry.create_key(site.id, Scope.READ, f"key {mark}")
            told = Given(name=f"source {mark}", settings={"host": f"{mark}.invalid"}, enabled=False)
            source = registry.create_source(site.id, "p1", told)
            self.ids |= {organization.id, below.id, site.id, device.id, space.id, key.key.id, source.id, *points}
            self.ids.add(registry.create_edge(site.id, f"edge {mark}").edge.id)
        self._mine, self._people = mine.id, 0
        self._person(theirs.id, MARK)
        self.routes = [
            (str(method), route.path)
            for route in office.web.app.routes
            if isinstance(route, HTTPRoute) and route.path.startswith(("/api/v1/", *_PULSES))
            and not route.path.startswith(_SKIPPED)
            for handler in route.route_handlers
            for method in handler.http_methods - {"OPTIONS"}
        ]  # fmt: skip
        self.parameters = sorted(
            {"site", "q", "limit", "cursor", "sort", "order", "points", "point", "organization", "role", "city", "room",
             "start", "end", "buckets", "resource", "id", "kind", "format", "name", "tag.city", "after", "state",
             "tag.room", "tag.team", "name.contains", "email.contains", "email.prefix", "created.from", "phone.empty",
             "person.email", "person.tag.team", "device.name.contains", "site.city"}
        )  # fmt: skip

    def token(self) -> str:
        """A session of somebody new: what is asked at random soon ends the own role, or whatever it was good for."""
        self._people += 1
        return self._person(self._mine, f"own{self._people}")

    def _person(self, organization_id: int, mark: str = "own") -> str:
        now = datetime.now(UTC)
        with self.registry._db.writing() as s:
            account = accounts.create(s, organization_id, f"{mark}@{mark}.example", "", now, f"Person {mark}")
            memberships.create(s, account.id, Role.OWNER, now, organization_id=organization_id)
            self.ids.add(account.id)
            s.add(tables.PersonTag(account_id=account.id, key="team", value=mark))
            return sessions.create(s, account.id, now)

    def request(self) -> tuple[str, str, bytes | None]:
        """A method, an address and a body."""
        chance = self.chance
        method, path = chance.choice(self.routes)
        path = path.replace("{path:path}", "/".join(["{one}"] * chance.randrange(1, 5)))
        address = re.sub(r"\{\w+(:\w+)?\}", lambda _: quote(str(self.value()), safe=""), path)
        named = {chance.choice(self.parameters): self.value() for _ in range(chance.randrange(4))}
        if named:
            address += "?" + urlencode(named)
        if method in ("GET", "DELETE"):
            return method, address, None
        fields = ["site_id", "organization_id", "name", "email", "role", "device_id", "point_id", "parent_id", "text",
                  "space_id", "scope", "template", "revision", "reason", "day", "points", "version"]  # fmt: skip
        return method, address, json.dumps({name: self.value() for name in chance.sample(fields, 4)}).encode()

    def value(self) -> Any:
        """An id that exists more often than not, or something else."""
        chance = self.chance
        if chance.random() < 0.75:
            return chance.choice([*self.ids])
        return chance.choice(
            [MARK, f"{MARK}@{MARK}.example", "owner", "write", "admin", "../..", "' OR 1=1 --", "%", "1,2,3,4,5",
             "asc", "name", "-name", "2026-03-01", True, None, 1.5, "*", f"eq:{MARK}", "in:1,2,3", f"prefix:{MARK[:3]}"]
        )  # fmt: skip


@pytest.fixture(scope="module")
def other(office: Office) -> Other:
    """The two organizations on a server of people."""
    return Other(office)


@pytest.mark.parametrize("requests", [REQUESTS, pytest.param(MANY, marks=pytest.mark.prove, id="many")])
def test_not_one_foreign_byte(other: Other, requests: int) -> None:
    line = http.client.HTTPConnection("127.0.0.1", other.office.port, timeout=60)
    headers = {"X-Wattstead": "1", "If-Match": '"1"', "Content-Type": "application/json"}
    statuses: dict[int, int] = {}
    for number in range(requests):
        if number % RENEWED == 0:
            headers["Cookie"] = f"wattstead_session={other.token()}"
        method, address, body = other.request()
        asked = MARK in address or (body is not None and MARK.encode() in body)
        line.request(method, address, body, headers)
        answer = line.getresponse()
        told = answer.read()
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        assert answer.status != 500, (number, method, address, body, told)
        if address.startswith(_PULSES):
            assert told in (b"", b"[]", b"[0]") or answer.status in (400, 401, 404), (address, told)
        if not asked:
            assert MARK.encode() not in told, (number, method, address, body, told[:500])
        elif answer.status == 200 and method == "GET":
            plain = told.replace(f'"{MARK}"'.encode(), b"")
            assert b"Site zanzibar" not in plain and b"Org zanzibar" not in plain, (number, method, address, told[:500])
    line.close()
    assert {200, 404} <= set(statuses) and statuses[200] > requests / 20, statuses
    sites = other.registry.sites()
    assert [site.name for site in sites if site.note == f"note {MARK}"] == [f"Site {MARK}"], (
        "foreign things were changed"
    )
