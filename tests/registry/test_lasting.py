"""What outlives a session is made only where it may be made at that instant, and ends with what it stood on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.registry.conftest import Clock

from wattstead.registry.authority import Authority, Stand
from wattstead.registry.errors import Unknown
from wattstead.registry.places.keys import Terms
from wattstead.registry.places.sites import sites
from wattstead.registry.policy import Role
from wattstead.registry.records import Account, Scope
from wattstead.registry.registry import Registry


class Scene:
    """A site of a partner, and what the partner's people may do."""

    def __init__(self, registry: Registry, root: int) -> None:
        self.partner, self.other = (registry.create_organization(name, root) for name in ("Partner", "Other"))
        self.authority = Authority((Stand(Role.PARTNER, self.partner.path), Stand(Role.OWNER, self.partner.path)))
        self.site = registry.create_site(self.partner.id, "House", "UTC").id
        self.home = registry.create_site(self.partner.id, "Depot", "UTC").id
        self.device = registry.create_device(self.site, "Meter").id
        self.key = registry.create_key(self.site, Scope.WRITE).key.id
        self.bound = registry.create_key(self.site, Scope.WRITE, terms=Terms(device_id=self.device)).key.id


@pytest.fixture
def scene(registry: Registry, owner: Account) -> Scene:
    return Scene(registry, owner.organization_id)


def _deeds(registry: Registry, scene: Scene, clock: Clock) -> list[Callable[[], object]]:
    by = {"authority": scene.authority}
    ends = clock() + timedelta(days=1)
    return [
        lambda: registry.create_key(scene.site, Scope.READ, **by),
        lambda: registry.rotate_key(scene.key, **by),
        lambda: registry.share_link(scene.site, "Link", ends, **by),
        lambda: registry.share_with(scene.site, "eve@test.example", **by),
        lambda: registry.grant_site(scene.site, scene.partner.id, **by),
        lambda: registry.hand_over_site(scene.site, scene.partner.id, **by),
        lambda: registry.move_device(scene.device, scene.home, **by),
        lambda: registry.move_device(scene.device, scene.home, with_history=True, **by),
        lambda: registry.move_device(scene.device, None, organization_id=scene.partner.id, **by),
    ]


def test_what_was_allowed_before_a_handover_is_not_after(registry: Registry, scene: Scene, clock: Clock) -> None:
    registry.create_key(scene.site, Scope.READ, authority=scene.authority)
    registry.hand_over_site(scene.site, scene.other.id)
    for deed in _deeds(registry, scene, clock):
        with pytest.raises(Unknown):
            deed()
    keys = [one for one in registry.keys(scene.site) if one.revoked is None]
    assert {one.scope for one in keys} == {Scope.WRITE}


def test_a_branch_that_moved_takes_the_right_with_it(registry: Registry, scene: Scene) -> None:
    registry.move_organization(scene.partner.id, None)
    with pytest.raises(Unknown):
        registry.create_key(scene.site, Scope.READ, authority=scene.authority)


def test_what_comes_during_a_handover_waits_for_it(registry: Registry, scene: Scene, clock: Clock) -> None:
    failed: list[Exception] = []

    def try_(deed: Callable[[], object]) -> None:
        try:
            deed()
        except Unknown as error:
            failed.append(error)

    deeds = _deeds(registry, scene, clock)
    threads = [threading.Thread(target=try_, args=(deed,)) for deed in deeds]
    with registry._db.writing() as session:
        sites.hand_over(session, scene.site, scene.other.id, clock())
        for thread in threads:
            thread.start()
        threads[0].join(0.3)
        assert not failed
    for thread in threads:
        thread.join(30)
    assert len(failed) == len(deeds)
