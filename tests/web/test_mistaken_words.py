"""Words of the command line that cannot be meant so: one line says what is wrong, and the exit code is 1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wattstead.registry.records import Scope

Verb = Callable[..., str]


def line(said: str) -> str:
    """The one line that was said."""
    (only,) = said.strip().splitlines()
    assert only.startswith("wattstead: ")
    return only


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_a_file_that_cannot_be_written(office: Any, verb: Verb, tmp_path: Path, name: str) -> None:
    key = office.registry.create_key(office.site, Scope.READ, "reader").secret
    words = ("--url", office.url, "--read-key", key, "--data", tmp_path)
    said = line(verb("export", tmp_path / "missing" / name, *words, expect=1))
    assert f"missing/{name} cannot be written: No such file or directory" in said


@pytest.mark.parametrize("verb_name", ["import", "export"])
def test_a_zone_that_is_none(verb: Verb, tmp_path: Path, verb_name: str) -> None:
    (tmp_path / "a.csv").write_text("time,a\n")
    words = ("--zone", "Mars/Base", "--url", "http://127.0.0.1:9", "--data", tmp_path)
    assert "Mars/Base" in line(verb(verb_name, tmp_path / "a.csv", *words, expect=1))


@pytest.mark.parametrize("url", ["somewhere", "http://[broken", "ftp://here/"])
def test_an_address_that_is_none(verb: Verb, tmp_path: Path, url: str) -> None:
    assert "is no address of a server" in line(verb("export", "--url", url, "--data", tmp_path, expect=1))


def test_a_key_or_a_path_that_leads_nowhere(office: Any, verb: Verb, tmp_path: Path) -> None:
    at = ("--url", office.url, "--data", tmp_path)
    assert "is no key" in line(verb("export", *at, "--read-key", "schlüssel", expect=1))
    assert "answered 401" in line(verb("export", *at, "--read-key", "0" * 32, expect=1))


def test_notes_that_are_broken(verb: Verb, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{broken")
    assert "demo.json cannot be read" in line(verb("export", "--data", tmp_path, expect=1))
    (tmp_path / "a.csv").write_text("time,a\n")
    (tmp_path / "a.csv.import.json").write_text("{broken")
    assert "delete it to begin again" in line(verb("import", tmp_path / "a.csv", "--data", tmp_path, expect=1))


def test_folders_that_are_none(verb: Verb, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in ("nowhere", "file"):
        said = line(verb("backup", tmp_path / "copy", "--data", tmp_path / folder, expect=1))
        assert "holds no data to back up" in said
    assert not (tmp_path / "nowhere").exists()
    assert "file: File exists" in line(verb("serve", "--data", tmp_path / "file", "--port", "0", expect=1))


def test_settings_that_cannot_be(verb: Verb, tmp_path: Path) -> None:
    said = line(verb("serve", "--data", tmp_path / "data", "--base-path", "energy", expect=1))
    assert "base_path: String should match pattern" in said
