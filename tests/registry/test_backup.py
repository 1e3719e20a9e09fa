"""Backup and restore: everything comes back, ids go on where they were, a wrong folder is refused in words."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from wattstead.registry.errors import BackupError, LoginFailed, SchemaMismatch
from wattstead.registry.records import Account, KeyGrant, NewAddress, PointDeclaration, Scope, Site
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal
from wattstead.registry.storage.backup import BackupNote, read_note
from wattstead.registry.storage.database import Database

PASSWORD = "correct horse battery"
SEAL = Seal(b"s" * 32)


@pytest.fixture
def furnished(registry: Registry, owner: Account, site: Site, grant: KeyGrant) -> Registry:
    """A registry with something in every table."""
    partner = registry.create_organization("Partner", owner.organization_id)
    registry.create_site(partner.id, "Kathmandu", "Asia/Kathmandu", "a\nnote", {"city": "काठमाडौँ"})
    device = registry.create_device(site.id, "Meter")
    registry.create_points(site.id, [PointDeclaration(address="d", name="D", device_id=device.id, tags={"a": "b"})])
    registry.resolve(grant, [NewAddress(f"p{n}") for n in range(20)])
    registry.create_key(site.id, Scope.READ, sealed=True)
    registry.revoke_key(registry.create_key(site.id, Scope.READ).key.id)
    with pytest.raises(LoginFailed):
        registry.login(owner.email, "wrong password")
    registry.login(owner.email, PASSWORD)
    return registry


@pytest.fixture
def full(furnished: Registry, grant: KeyGrant) -> Registry:
    """One with more rows than are read or written at once."""
    furnished.resolve(grant, [NewAddress(f"q{n}") for n in range(2_180)])
    return furnished


def _all_rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    database = Database(url)
    with database.connected() as connection:
        question = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        if not database.is_sqlite:
            question = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        names = connection.execute(text(question)).scalars().all()
        rows = {name: [tuple(row) for row in connection.execute(text(f'SELECT * FROM "{name}"'))] for name in names}
    database.close()
    return {name: sorted(found, key=repr) for name, found in rows.items()}


def _restored(url: str, folder: Path) -> Registry:
    restored = Registry(url, seal=SEAL)
    restored.restore(folder)
    return restored


@pytest.mark.parametrize("portable", [False, True])
def test_everything_comes_back(
    full: Registry, url: str, kind: str, new_database: Callable[[str], str], tmp_path: Path, portable: bool
) -> None:
    note = full.backup(tmp_path / "backup", portable=portable)
    fresh = new_database(kind)
    with _restored(fresh, tmp_path / "backup") as restored:
        assert _all_rows(fresh) == _all_rows(url)
        assert note.identity == restored.identity() == full.identity()
        assert note.last_point_id == restored.largest_point_id() == full.largest_point_id() == 2_201
        assert restored.points() == full.points() and restored.sites() == full.sites()
        assert restored.create_site(1, "Next", "UTC").id == full.create_site(1, "Next", "UTC").id


@pytest.mark.parametrize(("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_a_portable_backup_moves_to_the_other_database(
    new_database: Callable[[str], str], tmp_path: Path, source: str, target: str
) -> None:
    with Registry(new_database(source), seal=SEAL) as old:
        old.migrate()
        made = old.first_owner("ada@example.org", PASSWORD)
        assert made is not None
        site = old.create_site(made.account.organization_id, "Mill", "Europe/Paris", tags={"a": "b"})
        secret = old.create_key(site.id, Scope.WRITE, sealed=True).secret
        grant = old.key(secret)
        assert grant is not None
        old.resolve(grant, [NewAddress("a"), NewAddress("b")])
        old.backup(tmp_path / "backup", portable=True)
        with _restored(new_database(target), tmp_path / "backup") as new:
            assert new.points() == old.points() and new.keys() == old.keys() and new.sites() == old.sites()
            assert new.key(secret) == grant and new.sealed_key(grant.id) == (grant, secret)
            assert new.resolve(grant, [NewAddress("c"), NewAddress("a")]).ids == {"a": 1, "c": 3}
            signed = new.signed(new.login("ada@example.org", PASSWORD))
            assert signed is not None and signed.account.id == made.account.id


def test_a_backup_of_a_registry_in_use_is_one_instant(full: Registry, grant: KeyGrant, tmp_path: Path) -> None:
    """Each point has its address, whatever was being added meanwhile."""
    done = threading.Event()

    def add() -> None:
        turn = 0
        while not done.is_set():
            turn += 1
            full.resolve(grant, [NewAddress(f"new {turn} {n}") for n in range(20)])

    adding = threading.Thread(target=add)
    adding.start()
    try:
        note = full.backup(tmp_path / "backup", portable=True)
    finally:
        done.set()
        adding.join()
    points, addresses = (
        [json.loads(line) for line in (tmp_path / "backup" / f"{name}.jsonl").read_text().splitlines()]
        for name in ("point", "address")
    )
    assert {row["id"] for row in points} == {row["point_id"] for row in addresses}
    assert max(row["id"] for row in points) == note.last_point_id


def test_a_registry_with_rows_is_not_overwritten(furnished: Registry, url: str, tmp_path: Path) -> None:
    furnished.backup(tmp_path / "backup")
    before = _all_rows(url)
    with pytest.raises(BackupError, match="empty"):
        furnished.restore(tmp_path / "backup")
    assert _all_rows(url) == before


def test_a_backup_is_not_written_over_another(furnished: Registry, tmp_path: Path) -> None:
    furnished.backup(tmp_path / "backup")
    with pytest.raises(BackupError, match="already"):
        furnished.backup(tmp_path / "backup")


def test_folders_that_hold_no_backup(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="holds no backup"):
        registry.restore(tmp_path / "nowhere")
    (tmp_path / "registry.json").write_text("{not json")
    with pytest.raises(BackupError, match="cannot be read"):
        registry.restore(tmp_path)


def _change_note(folder: Path, **changes: object) -> None:
    note = msgspec.structs.replace(read_note(folder), **changes)
    (folder / "registry.json").write_bytes(msgspec.json.encode(note))


def test_a_backup_of_a_newer_program_is_refused(furnished: Registry, tmp_path: Path) -> None:
    furnished.backup(tmp_path / "backup")
    _change_note(tmp_path / "backup", revision="r9999")
    with pytest.raises(SchemaMismatch):
        read_note(tmp_path / "backup")


@pytest.mark.parametrize("harm", ["cut", "missing", "garbage", "fewer"])
def test_damaged_tables_restore_nothing(
    furnished: Registry, kind: str, new_database: Callable[[str], str], tmp_path: Path, harm: str
) -> None:
    folder = tmp_path / "backup"
    furnished.backup(folder, portable=True)
    file = folder / "point_tag.jsonl"
    if harm == "cut":
        (folder / "address.jsonl").write_bytes((folder / "address.jsonl").read_bytes()[:-7])
    elif harm == "missing":
        file.unlink()
    elif harm == "garbage":
        file.write_bytes(b"\x00\xff\n")
    else:
        file.write_bytes(b"")
    fresh = new_database(kind)
    with Registry(fresh) as registry:
        with pytest.raises(BackupError):
            registry.restore(folder)
        assert registry.points() == [] and registry.organizations() == []


@pytest.mark.unit
def test_a_damaged_file_is_not_restored(tmp_path: Path) -> None:
    with Registry(f"sqlite:///{tmp_path / 'old.db'}") as old:
        old.migrate()
        old.first_owner("ada@example.org", PASSWORD)
        old.backup(tmp_path / "backup")
    file = tmp_path / "backup" / "registry.db"
    content = bytearray(file.read_bytes())
    content[8_192:12_288] = b"\xff" * 4_096
    file.write_bytes(content)
    with Registry(f"sqlite:///{tmp_path / 'new.db'}") as registry, pytest.raises(BackupError, match="damaged"):
        registry.restore(tmp_path / "backup")


def test_a_database_file_does_not_fit_postgresql(new_database: Callable[[str], str], tmp_path: Path) -> None:
    with Registry(new_database("sqlite")) as old:
        old.migrate()
        old.backup(tmp_path / "backup")
    with Registry(new_database("postgresql")) as new, pytest.raises(BackupError, match="portable"):
        new.restore(tmp_path / "backup")


def test_a_backup_of_another_revision_is_restored_into_a_new_registry(
    furnished: Registry, kind: str, new_database: Callable[[str], str], tmp_path: Path
) -> None:
    """The target was migrated further already: its empty tables make way for those of the backup."""
    furnished.backup(tmp_path / "backup", portable=True)
    fresh = new_database(kind)
    database = Database(fresh)
    with Registry(fresh) as target:
        target.migrate()
    with database.connected() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'other'"))
    database.close()
    with _restored(fresh, tmp_path / "backup") as restored:
        assert restored.points() == furnished.points()


@pytest.mark.unit
def test_the_note_says_what_it_is(tmp_path: Path) -> None:
    with Registry(f"sqlite:///{tmp_path / 'old.db'}") as old:
        old.migrate()
        note = old.backup(tmp_path / "backup")
        assert read_note(tmp_path / "backup") == note
        assert isinstance(note, BackupNote) and note.made.tzinfo is not None
    assert sorted(file.name for file in (tmp_path / "backup").iterdir()) == ["registry.db", "registry.json"]
