"""The table of sources: each row is documented, says what its settings are, and has bytes of a real device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wattstead.ingest.sources.forms import marked, schema
from wattstead.ingest.sources.source_protocol import SourceProtocol
from wattstead.ingest.sources.table import SOURCES

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
ROWS = pytest.mark.parametrize("row", SOURCES, ids=lambda row: row.name)


def test_no_name_is_taken_twice() -> None:
    assert len({row.name for row in SOURCES}) == len(SOURCES)


@ROWS
def test_it_is_documented(row: SourceProtocol) -> None:
    page = (ROOT / row.page).read_text()
    assert row.title in page or row.name in page
    assert Path(row.page).name in (ROOT / "docs" / "README.md").read_text()


@ROWS
def test_it_has_bytes_of_a_real_device(row: SourceProtocol) -> None:
    folder = ROOT / "tests" / "payloads" / row.name
    assert [file for file in folder.iterdir() if file.stat().st_size and not file.name.startswith(".")]


@ROWS
def test_every_setting_can_be_shown_in_a_form(row: SourceProtocol) -> None:
    told = schema(row)
    for name, struct in told["$defs"].items():
        for field, found in struct.get("properties", {}).items():
            parts = [found, *found.get("anyOf", [])]
            assert any("title" in part for part in parts), f"{name}.{field} has no title"
            assert any("description" in part for part in parts), f"{name}.{field} has no description"
    assert row.settings.__struct_config__.frozen and row.settings.__struct_config__.forbid_unknown_fields


@ROWS
def test_its_settings_have_words_in_every_language(row: SourceProtocol) -> None:
    told = schema(row)
    paths = list(_paths(told, told["$ref"], f"{row.name}."))
    for language in ("en", "de", "fr"):
        words = (ROOT / f"frontend/src/messages/{language}/protocols.ts").read_text(encoding="utf-8")
        missing = [path for path in paths if f'"set.{path}":' not in words or f'"sethint.{path}":' not in words]
        assert not missing, f"{language} lacks words of {', '.join(missing)}"


def _paths(told: dict[str, Any], reference: str, before: str) -> Iterator[str]:
    """Every setting by the way to it, as the pages name it."""
    for name, field in told["$defs"][reference.rpartition("/")[2]]["properties"].items():
        yield before + name
        items = field.get("items")
        inner = field.get("$ref") or (items.get("$ref") if isinstance(items, dict) else None)
        if inner and "properties" in told["$defs"][inner.rpartition("/")[2]]:
            yield from _paths(told, inner, f"{before}{name}.")


@ROWS
def test_secrets_stand_on_top_and_say_where_they_go(row: SourceProtocol) -> None:
    """Only there are they taken apart and sealed."""
    told = schema(row)
    top = told["$ref"].rpartition("/")[2]
    assert not [name for name, struct in told["$defs"].items() if name != top and _holds_secret(struct)]
    assert not marked(row, "secret") or marked(row, "where")


def _holds_secret(told: Any) -> bool:
    if isinstance(told, dict):
        return told.get("secret") is True or any(map(_holds_secret, told.values()))
    return isinstance(told, list) and any(map(_holds_secret, told))
