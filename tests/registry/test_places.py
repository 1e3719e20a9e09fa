"""Places: the tree of organizations, who sees which sites, devices and keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from wattstead.metering.errors import WattsteadError
from wattstead.registry.authority import Reach
from wattstead.registry.errors import KeyInvalid, NameInvalid, Unknown, ZoneUnknown
from wattstead.registry.records import Account, KeyGrant, Scope, Site
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal, SealBroken
from wattstead.registry.storage.database import Database


def test_a_branch_of_organizations(registry: Registry, owner: Account) -> None:
    root = owner.organization_id
    partners = [registry.create_organization(f"Partner {n}", root) for n in range(12)]  # ids of one and two digits
    below = registry.create_organization("Below", partners[0].id)
    assert below.path == f"/{root}/{partners[0].id}/{below.id}/"
    for organization in (*partners, below):
        registry.create_site(organization.id, f"Site of {organization.name}", "UTC")

    def sees(organization_id: int) -> list[str]:
        (path,) = [one.path for one in registry.organizations() if one.id == organization_id]
        return [site.name for site in registry.sites(Reach((path,)))]

    assert len(sees(root)) == 13
    assert sees(partners[0].id) == ["Site of Partner 0", "Site of Below"]
    assert sees(partners[9].id) == ["Site of Partner 9"]
    assert sees(below.id) == ["Site of Below"]


def test_an_organization_needs_its_parent(registry: Registry) -> None:
    with pytest.raises(Unknown):
        registry.create_organization("Orphan", 99)
    assert registry.organizations() == []


def test_sites_with_their_tags(registry: Registry, owner: Account) -> None:
    made = registry.create_site(owner.organization_id, "Mill", "Asia/Kathmandu", "A note", {"city": "Lyon", "kWp": "6"})
    assert registry.sites() == [made] == registry.sites(site_ids=[made.id, 99])
    changed = registry.change_site(made.id, name="Old mill", tags={"kWp": "", "roof": "south"})
    assert changed.tags == {"city": "Lyon", "roof": "south"}
    assert (changed.name, changed.zone, changed.note) == ("Old mill", "Asia/Kathmandu", "A note")


def test_what_a_site_cannot_be(registry: Registry, owner: Account, site: Site) -> None:
    wrong: list[tuple[type[WattsteadError], dict[str, object]]] = [
        (ZoneUnknown, {"zone": "Europe/Atlantis"}),
        (NameInvalid, {"name": ""}),
        (NameInvalid, {"name": "a\x00"}),
        (NameInvalid, {"tags": {"k": "v" * 201}}),
        (NameInvalid, {"tags": {"k" * 61: "v"}}),
    ]
    for error, given in wrong:
        with pytest.raises(error):
            registry.change_site(site.id, **given)  # type: ignore[arg-type]
    assert registry.sites() == [site]
    with pytest.raises(Unknown):
        registry.change_site(99, name="x")
    with pytest.raises(Unknown):
        registry.create_site(99, "x", "UTC")


def test_devices(registry: Registry, site: Site) -> None:
    device = registry.create_device(site.id, "Meter")
    assert registry.devices(site.id) == [device]
    with pytest.raises(Unknown):
        registry.create_device(99, "Meter")


def test_a_key_is_known_by_its_hash(registry: Registry, site: Site, url: str) -> None:
    made = registry.create_key(site.id, Scope.WRITE, "roof")
    assert len(made.secret) == 32 and made.secret.startswith(made.key.prefix) and len(made.key.prefix) == 6
    assert registry.key(made.secret) == KeyGrant(
        made.key.id, site.id, site.organization_id, Scope.WRITE, made.key.point_limit
    )
    database = Database(url)
    with database.connected() as connection:
        (row,) = connection.execute(text("SELECT * FROM key")).all()
    database.close()
    assert made.secret not in str(tuple(row))
    assert all(made.secret.encode() != value and bytes.fromhex(made.secret) != value for value in row)


@pytest.mark.parametrize("secret", ["", "0" * 32, "x", "\x00", "\ud800", "a" * 100_000, "' OR 1=1 --"])
def test_secrets_that_open_nothing(registry: Registry, grant: KeyGrant, secret: str) -> None:
    assert registry.key(secret) is None


def test_a_revoked_key_opens_nothing(registry: Registry, site: Site) -> None:
    made = registry.create_key(site.id, Scope.READ, sealed=True)
    first = registry.revoke_key(made.key.id)
    assert first.revoked is not None and not first.sealed
    assert registry.key(made.secret) is None and registry.sealed_key(made.key.id) is None
    assert registry.revoke_key(made.key.id) == first
    assert registry.keys(site.id) == [first]
    with pytest.raises(Unknown):
        registry.revoke_key(99)


def test_a_secret_can_be_carried_over_but_not_used_twice(registry: Registry, site: Site) -> None:
    secret = "0123456789abcdef" * 2
    registry.revoke_key(registry.create_key(site.id, Scope.WRITE, secret=secret).key.id)
    for wrong in (secret, secret.upper(), secret[:-1], "g" * 32, ""):
        with pytest.raises(KeyInvalid):
            registry.create_key(site.id, Scope.READ, secret=wrong)
    with pytest.raises(KeyInvalid):
        registry.create_key(site.id, Scope.READ, point_limit=-1)
    with pytest.raises(Unknown):
        registry.create_key(99, Scope.READ)


def test_a_sealed_key_can_be_read_again(registry: Registry, site: Site) -> None:
    sealed, plain = (registry.create_key(site.id, Scope.WRITE, sealed=flag) for flag in (True, False))
    found = registry.sealed_key(sealed.key.id)
    assert found == (registry.key(sealed.secret), sealed.secret)
    assert sealed.key.sealed and not plain.key.sealed
    assert registry.sealed_key(plain.key.id) is None and registry.sealed_key(99) is None


def test_without_a_seal_no_key_is_sealed(registry: Registry, site: Site, url: str, kind: str) -> None:
    """PostgreSQL's registry has no folder of its own in which to keep one."""
    with Registry(url) as other:
        if kind == "sqlite":
            made = other.create_key(site.id, Scope.WRITE, sealed=True)
            with Registry(url) as again:
                assert again.sealed_key(made.key.id) == (again.key(made.secret), made.secret)
        else:
            with pytest.raises(KeyInvalid):
                other.create_key(site.id, Scope.WRITE, sealed=True)
            assert other.keys_since(0) == []


def test_what_caches_learn_of_keys(registry: Registry, site: Site, url: str) -> None:
    kept, gone = (registry.create_key(site.id, Scope.WRITE, sealed=flag) for flag in (True, False))
    start = registry.generation()
    assert {state.key_id: state.secret for state in registry.keys_since(0)} == {
        kept.key.id: kept.secret,
        gone.key.id: None,
    }
    assert registry.keys_since(start) == []
    registry.revoke_key(gone.key.id)
    (state,) = registry.keys_since(start)
    assert (state.key_id, state.grant) == (gone.key.id, None)
    with Registry(url, seal=Seal(b"o" * 32)) as other:  # another installation's seal: the key works, its secret is shut
        (state,) = other.keys_since(0)
        assert state.secret is None and state.grant is not None
        with pytest.raises(SealBroken):
            other.sealed_key(kept.key.id)


def test_last_use_of_a_key_changes_no_generation(registry: Registry, grant: KeyGrant) -> None:
    before = registry.generation()
    used = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(microseconds=1)
    registry.mark_keys_used({grant.id: used, 99: used})
    assert registry.keys()[0].last_used == used
    assert registry.generation() == before
