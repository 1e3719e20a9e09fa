"""The tree of organizations: moved, closed, deleted; what hangs on a branch follows it."""

from __future__ import annotations

import threading

import pytest
from tests.registry.conftest import Clock

from wattstead.registry.authority import Reach
from wattstead.registry.errors import AttributeInvalid, Conflict, NameInvalid, Stale, Unknown
from wattstead.registry.people import accounts, memberships
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import Account, Scope
from wattstead.registry.registry import Registry
from wattstead.registry.trail import Actor

SEE = Right(Action.SEE, Resource.SITE)


def _member(registry: Registry, clock: Clock, organization_id: int, role: Role, email: str) -> int:
    with registry._db.writing() as session:
        made = accounts.create(session, organization_id, email, "", clock())
        memberships.create(session, made.id, role, clock(), organization_id=organization_id)
    return made.id


def _reach(registry: Registry, clock: Clock, account_id: int) -> Reach:
    with registry._db.reading() as session:
        return memberships.authority(session, account_id, clock()).reach(SEE)


def test_a_branch_moves_with_all_that_is_in_it(registry: Registry, owner: Account, clock: Clock) -> None:
    root = owner.organization_id
    north, south = (registry.create_organization(name, root) for name in ("North", "South"))
    partner = registry.create_organization("Partner", north.id, kind="partner")
    below = registry.create_organization("Below", partner.id)
    site = registry.create_site(below.id, "Mill", "UTC")
    moved = registry.move_organization(partner.id, south.id)
    assert moved.path == f"/{root}/{south.id}/{partner.id}/"
    assert registry.organization(below.id).path == f"{moved.path}{below.id}/"
    assert [one.id for one in registry.sites(Reach((south.path,)))] == [site.id]
    assert registry.sites(Reach((north.path,))) == []
    assert registry.move_organization(partner.id, None).path == f"/{partner.id}/"
    assert registry.sites(Reach((f"/{root}/",))) == []


def test_a_branch_never_hangs_below_itself(registry: Registry, owner: Account) -> None:
    above = registry.create_organization("Above", owner.organization_id)
    below = registry.create_organization("Below", above.id)
    for parent in (above.id, below.id):
        with pytest.raises(Conflict):
            registry.move_organization(above.id, parent)
    with pytest.raises(Unknown):
        registry.move_organization(above.id, 99_999)
    assert registry.organization(above.id) == above


def test_two_moves_that_would_make_a_ring(registry: Registry, owner: Account) -> None:
    left, right = (registry.create_organization(name, owner.organization_id) for name in ("Left", "Right"))
    failed: list[Exception] = []

    def move(one: int, other: int) -> None:
        try:
            registry.move_organization(one, other)
        except Conflict as error:
            failed.append(error)

    threads = [threading.Thread(target=move, args=pair) for pair in ((left.id, right.id), (right.id, left.id))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(failed) == 1
    paths = {one.id: one.path for one in registry.organizations()}
    assert all(
        path.endswith(f"/{one}/") and path.startswith(f"/{owner.organization_id}/") for one, path in paths.items()
    )


def test_a_closed_branch_neither_signs_in_nor_sends(registry: Registry, owner: Account, clock: Clock) -> None:
    above = registry.create_organization("Above", owner.organization_id)
    below = registry.create_organization("Below", above.id)
    other = registry.create_organization("Aboveness", owner.organization_id)
    sites = {one.id: registry.create_site(one.id, one.name, "UTC") for one in (above, below, other)}
    secrets = {one: registry.create_key(site.id, Scope.WRITE).secret for one, site in sites.items()}
    people = {
        one.id: _member(registry, clock, one.id, Role.OWNER, f"p{one.id}@test.example") for one in (above, below, other)
    }
    outside = _member(registry, clock, other.id, Role.OWNER, "outside@test.example")
    with registry._db.writing() as session:
        memberships.create(session, outside, Role.USER, clock(), site_id=sites[below.id].id)
    before = registry.generation()
    registry.disable_organization(above.id)
    for one in (above, below):
        assert registry.key(secrets[one.id]) is None
        assert not _reach(registry, clock, people[one.id])
    assert registry.key(secrets[other.id]) is not None
    assert _reach(registry, clock, outside) == Reach((other.path,))
    assert [state.grant for state in registry.keys_since(before)] == [None, None]
    assert _reach(registry, clock, owner.id).holds(below.path)
    closed = registry.generation()
    registry.disable_organization(above.id, False)
    assert all(state.grant for state in registry.keys_since(closed))
    assert registry.key(secrets[below.id]) is not None
    assert _reach(registry, clock, people[below.id]) == Reach((below.path,))


def test_nobody_locks_themselves_out(registry: Registry, owner: Account) -> None:
    with pytest.raises(Conflict):
        registry.disable_organization(owner.organization_id, by=Actor(owner.id))


def test_an_organization_goes_when_nothing_is_left(registry: Registry, owner: Account) -> None:
    one = registry.create_organization("One", owner.organization_id)
    site = registry.create_site(one.id, "Mill", "UTC")
    with pytest.raises(Conflict, match="1 sites"):
        registry.delete_organization(one.id)
    registry.delete_site(site.id)
    registry.delete_organization(one.id)
    with pytest.raises(Unknown):
        registry.organization(one.id)


def test_changes_are_made_to_the_version_that_was_seen(registry: Registry, owner: Account) -> None:
    one = registry.create_organization("One", owner.organization_id)
    changed = registry.change_organization(one.id, name="Uno", version=one.version, by=Actor(owner.id))
    assert (changed.name, changed.version) == ("Uno", one.version + 1)
    with pytest.raises(Stale):
        registry.change_organization(one.id, name="Eins", version=one.version)
    for wrong in ({"name": ""}, {"kind": "cartel"}, {"path": "/"}, {"parent_id": 1}, {"registration": "yes"}):
        with pytest.raises((NameInvalid, AttributeInvalid)):
            registry.change_organization(one.id, **wrong)
    deed = registry.trail(resource=Resource.ORGANIZATION, resource_id=one.id)[0]
    assert (deed.action, deed.account_id) == ("change", owner.id)
    assert deed.words["changes"] == {"name": ["One", "Uno"]}
    assert registry.broken_trail() is None
