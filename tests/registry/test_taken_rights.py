"""Rights that were taken away: each way to do so moves the generation, by which a remembered scope is forgotten."""

from __future__ import annotations

from collections.abc import Callable

from wattstead.registry.authority import Authority, Reach, Stand
from wattstead.registry.policy import Resource, Role
from wattstead.registry.records import Account, Membership, PointDeclaration, Site
from wattstead.registry.registry import Registry
from wattstead.registry.trail import Actor

ALL = Authority((Stand(Role.ADMINISTRATOR, "/"), Stand(Role.OWNER, "/1/")))


def test_each_right_given_or_taken_is_a_new_generation(registry: Registry, site: Site, owner: Account) -> None:
    by = Actor(owner.id)
    branch = registry.create_organization("Sun Ltd", owner.organization_id)
    elsewhere = registry.create_organization("Rain Ltd", None)
    asked = registry.invite(by, ALL, "bob@example.org", Role.AUDITOR, organization_id=branch.id)
    person = registry.accept_invitation(asked.token, "Bob", "correct horse battery")
    reach = Reach((branch.path,))
    seen: list[int] = []

    def move(change: Callable[[], object], sees: bool) -> None:
        before = registry.generation()
        change()
        assert registry.generation() > before
        assert (site.id in registry.site_names(reach)) is sees
        seen.append(registry.generation())

    move(lambda: registry.grant_site(site.id, branch.id), True)
    move(lambda: registry.end_site_grant(site.id, branch.id), False)
    move(lambda: registry.hand_over_site(site.id, branch.id), True)
    move(lambda: registry.hand_over_site(site.id, elsewhere.id), False)
    reach = Reach((elsewhere.path,))
    move(lambda: registry.move_organization(elsewhere.id, branch.id), False)
    reach = Reach((branch.path,))
    move(lambda: registry.move_organization(elsewhere.id, None), False)
    reach = Reach((registry.organization(elsewhere.id).path,))
    given: list[Membership | None] = []
    move(lambda: given.append(registry.share_with(site.id, owner.email)), True)
    move(lambda: given.append(registry.give_role(by, ALL, person.id, Role.MANAGER, site_id=site.id)), True)
    shared, role = (one.id for one in given if one)
    move(lambda: registry.end_share(shared), True)
    move(lambda: registry.take_role(by, ALL, person.id, role), True)
    move(lambda: registry.delete_person(by, ALL, person.id), True)
    move(lambda: registry.disable_organization(branch.id), True)
    move(lambda: registry.delete_site(site.id), False)
    assert seen == sorted(set(seen))


def test_the_trail_tells_of_readings_where_they_may_be_seen(registry: Registry, site: Site, owner: Account) -> None:
    away = registry.create_site(registry.create_organization("Rain Ltd", None).id, "Away", "UTC")
    by = Actor(owner.id)
    for place in (site, away):
        (point,) = registry.create_points(place.id, [PointDeclaration(address="a", name="A")])
        (row,) = registry.points(point_ids=[point])
        registry.note_readings(by, "correct", row, {"then": 1.5}, {"then": 2.5}, "typed wrong")
    registry.note_look(by, Reach(("/",)), Resource.READING, (), "SHOW MEASUREMENTS", "ticket")

    def told(readings: Reach | None) -> list[bool]:
        return ["changes" in one.words for one in registry.trail(readings=readings, resource=Resource.READING)]

    own = registry.organization(owner.organization_id).path
    assert told(None) == told(Reach(("/",))) == [True, True, True]
    assert told(Reach((own,))) == [True, False, True] and told(Reach((), (away.id,))) == [False, True, False]
    assert told(Reach()) == [False] * 3
    assert {one.words["reason"] for one in registry.trail(readings=Reach())[:3]} == {"typed wrong", "ticket"}
