"""A backup of the running product, brought back elsewhere, answers the same."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import Running, serving

from wattstead.backup import BackupUnusable
from wattstead.cli.restore import run as bring_back
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.source_protocol import Message


def history(product: Any, address: str) -> tuple[list[float], list[float]]:
    with product.signed_in() as http:
        row = next((r for r in http.get("/api/v1/points?limit=1000").json() if r["address"] == address), None)
        if row is None:
            return [], []
        query = {"point": row["id"], "start": "2024-01-01T00:00Z", "end": "2025-01-01T00:00Z", "limit": 50_000}
        answer = http.get("/api/v1/readings", params=query)
        if answer.status_code == 503:  # they are being stored
            return [], []
        told = answer.raise_for_status().json()
        return told["time"], told["value"]


def test_a_backup_brought_back_answers_the_same(
    prefixed: Running, verb: Callable[..., str], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    old, copy, new = prefixed.folder, tmp_path / "copy", tmp_path / "new" / "data"
    new.parent.mkdir()
    letter = Message(b"no meter", "port", 1)
    rows = [{"point": "kept", "time": f"2024-02-01T00:{n:02}:00Z", "value": n} for n in range(60)]
    headers = {"Authorization": f"Bearer {prefixed.write_key}"}
    httpx.post(f"{prefixed.url}/api/v1/readings", json={"readings": rows}, headers=headers).raise_for_status()
    before = eventually(lambda: history(prefixed, "kept"), lambda found: len(found[0]) == 60)
    with contextlib.closing(Letters(old / "letters.db")) as letters:  # beside the server's own
        assert letters.put(7, letter, "cannot be read").result()
    for name in ("photos", "templates", "opcua", "tls"):
        (old / name).mkdir(exist_ok=True)
        (old / name / "kept").write_text(name)
    assert "backup complete" in verb("backup", copy, "--data", old)
    assert "is not empty" in verb("backup", copy, "--data", old, expect=1)
    with pytest.raises(BackupUnusable, match="holds registry"):
        bring_back(copy, old)
    assert "restored the backup" in verb("restore", copy, "--data", new)
    with contextlib.closing(Letters(new / "letters.db")) as letters:
        assert [one.message for one in letters.page(7)] == [letter]
    assert all((new / name / "kept").read_text() == name for name in ("photos", "templates", "opcua", "tls"))
    assert (new / "seal.key").read_bytes() == (old / "seal.key").read_bytes(), "or no secret in the registry opens"
    assert all((folder / "seal.key").stat().st_mode & 0o077 == 0 for folder in (copy, new))
    (tmp_path / "sealed").mkdir()
    (tmp_path / "sealed" / "seal.key").write_bytes(bytes(32))
    assert "another one than the backup's" in verb("restore", copy, "--data", tmp_path / "sealed", expect=1)
    with serving(new.parent) as said:
        assert history(replace(prefixed, url=said.split()[-1].rstrip("/")), "kept") == before
    with pytest.raises(BackupUnusable, match="no complete backup"):
        bring_back(tmp_path, tmp_path / "other")


def test_a_backup_without_a_server_and_a_check(verb: Callable[..., str], tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with serving(tmp_path) as told:
        said = verb("check", "--data", folder, "--port", told.rstrip("/\n").rpartition(":")[2])
        assert "Wattstead answers on" in said
        assert "in use by process" in said
    verb("backup", tmp_path / "copy", "--data", folder)
    assert (tmp_path / "copy" / "backup.json").exists()
    said = verb("check", "--data", folder, "--port", "0")
    assert "BAD" not in said
    assert all(name in said for name in ("clock", "permissions", "disk", "port", "registry", "store"))
    (folder / "registry.db").chmod(0o644)
    assert "chmod 600" in verb("check", "--data", folder, "--port", "0", expect=1)
