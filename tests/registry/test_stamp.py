"""The stamp tells of every commit, and the watched counters are those of the plain question, whoever commits."""

from __future__ import annotations

import shutil
from pathlib import Path

from wattstead.registry.registry import Registry
from wattstead.registry.storage.stamp import Stamp


def test_every_commit_is_seen_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    with Registry(f"sqlite:///{file}") as here, Registry(f"sqlite:///{file}") as beside:
        here.migrate()
        stamp = Stamp(file)
        seen = [stamp.look()]
        assert stamp.look() == seen[0] is not None
        root = here.create_organization("Root", None)
        seen.append(stamp.look())
        beside.create_site(root.id, "site", "UTC", "")
        seen.append(stamp.look())
        assert stamp.look() == seen[-1]
        stamp.close()
        seen.append(stamp.look())
        assert len(set(seen)) == 4
        stamp.close()


def test_counters_follow_other_processes(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    with Registry(f"sqlite:///{file}") as here, Registry(f"sqlite:///{file}") as beside:
        here.migrate()
        root = here.create_organization("Root", None)
        for number in range(3):
            before = here.generation()
            beside.create_site(root.id, f"site {number}", "UTC", "")
            assert here.generation() == beside.generation() > before
        here.skip_point_ids(41)
        assert (here.largest_point_id(), beside.largest_point_id()) == (41, 41)


def test_another_file_in_its_place_is_another(tmp_path: Path) -> None:
    file, copy = tmp_path / "registry.db", tmp_path / "copy.db"
    with Registry(f"sqlite:///{file}") as registry:
        registry.migrate()
    stamp = Stamp(file)
    before = stamp.look()
    shutil.copy(file, copy)
    copy.replace(file)
    assert stamp.look() not in (before, None)
    stamp.close()
    file.unlink()
    assert stamp.look() is None
    assert Stamp(None).look() is None
