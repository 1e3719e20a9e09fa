"""The declared table of rights: its promises, and the page that shows it."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import pytest

from wattstead.registry.authority import Authority, Reach, Stand
from wattstead.registry.policy import (
    CHANGED_BY_GRANT,
    GIVES,
    HELD,
    KEY_RIGHTS,
    RIGHTS,
    SEEN_BY_GRANT,
    WITH_REASON,
    Action,
    Place,
    Resource,
    Right,
    Role,
    Scope,
)

pytestmark = pytest.mark.unit
PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
_BEGIN, _END = "<!-- rights -->", "<!-- /rights -->"
_BEGIN_GRANTED, _END_GRANTED = "<!-- granted -->", "<!-- /granted -->"
_LETTERS = {Action.SEE: "s", Action.CREATE: "c", Action.CHANGE: "u", Action.DELETE: "d", Action.INVITE: "i",
            Action.IMPERSONATE: "p", Action.GIVE: "g"}  # fmt: skip
EVERY = [Right(action, resource) for action, resource in product(Action, Resource)]


def authority(role: Role, branch: str = "/1/4/", site_id: int = 0) -> Authority:
    return Authority((Stand(role, "" if site_id else branch, site_id),), reason="told")


def test_whoever_may_do_something_to_a_thing_sees_it() -> None:
    for role, rights in RIGHTS.items():
        for right in rights:
            assert Right(Action.SEE, right.resource) in rights, (role, right)


def test_who_only_reads_changes_nothing_but_themselves() -> None:
    for role in (Role.AUDITOR, Role.GUEST):
        assert {right.resource for right in RIGHTS[role] if right.action is not Action.SEE} == {Resource.SELF}


def test_the_administrator_sees_no_reading() -> None:
    assert not {Resource.READING, Resource.POINT} & {right.resource for right in RIGHTS[Role.ADMINISTRATOR]}
    assert [role for role in Role if Right(Action.IMPERSONATE, Resource.PERSON) in RIGHTS[role]] == [Role.ADMINISTRATOR]


def test_keys_never_do_the_other_things() -> None:
    assert KEY_RIGHTS[Scope.WRITE] == frozenset()
    assert {right.action for right in KEY_RIGHTS[Scope.READ]} == {Action.SEE}
    for rights in KEY_RIGHTS.values():
        assert not {Resource.KEY, Resource.PERSON, Resource.SHARE} & {right.resource for right in rights}


def test_nobody_gives_more_than_they_have() -> None:
    """But sharing: whom a household lets in is the household's affair, not its installer's."""
    for giver, given in GIVES.items():
        for role in given - {giver}:
            if giver is Role.ADMINISTRATOR or role is giver:
                continue
            beyond = {right for right in RIGHTS[role] - RIGHTS[giver] if right.resource is not Resource.SHARE}
            assert not beyond - RIGHTS[Role.MANAGER], (giver, role)
    givers = [role for role, given in GIVES.items() if Role.ADMINISTRATOR in given]
    assert givers == [Role.ADMINISTRATOR]


@pytest.mark.parametrize("right", EVERY, ids=str)
def test_a_right_holds_where_one_stands_and_below_and_nowhere_else(right: Right) -> None:
    for role in Role:
        held = right in RIGHTS[role]
        if Place.BRANCH in HELD[role]:
            mine = authority(role)
            assert [mine.may(right, path) for path in ("/1/4/", "/1/4/9/", "/1/", "/1/40/", "/2/")] == [held, held] + [
                False
            ] * 3
            assert mine.reach(right).branches == (("/1/4/",) if held else ())
        if Place.SITE in HELD[role]:
            mine = authority(role, site_id=7)
            assert [mine.may(right, "/1/4/", site) for site in (7, 8, 0)] == [held, False, False]
            assert mine.reach(right).sites == ((7,) if held else ())
        if Place.PLATFORM in HELD[role]:
            assert authority(role, "/").may(right, "/5/6/", 3) is held
            assert authority(role, "/").reach(right).everywhere is held


def test_nothing_done_under_a_grant_outlives_it_or_ends_something() -> None:
    assert {right.action for right in SEEN_BY_GRANT} == {Action.SEE}
    assert {right.action for right in CHANGED_BY_GRANT} <= {Action.CREATE, Action.CHANGE}
    never = {Resource.KEY, Resource.SOURCE, Resource.EDGE, Resource.SHARE, Resource.PERSON, Resource.TRAIL}
    assert not never & {right.resource for right in CHANGED_BY_GRANT}


def test_roles_in_two_places_do_not_mix() -> None:
    both = Authority((Stand(Role.OWNER, "/1/"), Stand(Role.GUEST, site_id=7)))
    change, see = Right(Action.CHANGE, Resource.SITE), Right(Action.SEE, Resource.SITE)
    assert both.may(see, "/2/", 7) and not both.may(change, "/2/", 7) and both.may(change, "/1/3/", 1)


def test_an_operator_without_a_reason_sees_nobody() -> None:
    assert {Role.OPERATOR} == WITH_REASON
    silent = Authority((Stand(Role.OPERATOR, "/1/"),))
    assert silent.lacks_reason and not silent.reach(Right(Action.SEE, Resource.SITE))
    assert not silent.reach(Right(Action.SEE, Resource.READING)) and silent.reach(Right(Action.CHANGE, Resource.SELF))


def test_an_empty_reach_holds_nothing() -> None:
    assert not Reach() and not Reach().holds("/1/") and not Reach().holds("/1/", 5) and not Reach().everywhere


def test_the_page_shows_the_table_as_it_is() -> None:
    """``WATTSTEAD_WRITE_DOCS=1 pytest tests/registry/test_policy.py`` writes the page anew."""
    before, rest = PAGE.read_text().split(_BEGIN)
    after = rest.split(_END)[1]
    whole = f"{before}{_BEGIN}\n{_table()}{_END}{after}"
    before, rest = whole.split(_BEGIN_GRANTED)
    whole = f"{before}{_BEGIN_GRANTED}\n{_granted()}{_END_GRANTED}{rest.split(_END_GRANTED)[1]}"
    if os.environ.get("WATTSTEAD_WRITE_DOCS"):
        PAGE.write_text(whole)
    assert PAGE.read_text() == whole


def _cell(resource: Resource, rights: frozenset[Right]) -> str:
    return "".join(letter for a, letter in _LETTERS.items() if Right(a, resource) in rights) or "–"


def _granted() -> str:
    lines = ["| | to read | to change |", "|---|---|---|"]
    for resource in Resource:
        read, change = (_cell(resource, one) for one in (SEEN_BY_GRANT, SEEN_BY_GRANT | CHANGED_BY_GRANT))
        lines += [f"| {resource.value} | {read} | {change} |"] * (change != "–")
    return "\n".join(lines) + "\n"


def _table() -> str:
    roles = list(Role)
    lines = ["| | " + " | ".join(role.value for role in roles) + " |", "|---" * (len(roles) + 1) + "|"]
    for resource in Resource:
        cells = [_cell(resource, RIGHTS[role]) for role in roles]
        lines.append(f"| {resource.value} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
