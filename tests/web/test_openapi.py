"""The OpenAPI document: complete, described, and the file in the repository is current."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from wattstead.web import openapi

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return openapi.document()


def test_the_exported_file_is_current() -> None:
    file = Path(__file__).parents[2] / openapi.DEFAULT_FILE
    assert file.read_text(encoding="utf-8") == openapi.text(), "run python -m wattstead.web.openapi"


def test_making_it_leaves_logging_alone() -> None:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    openapi.document()
    assert (root.level, root.handlers) == (level, handlers)


def test_every_operation_is_described(spec: dict[str, Any]) -> None:
    names = []
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], f"{method} {path}"
            assert operation["description"], f"{method} {path}"
            assert operation["tags"], f"{method} {path}"
            assert operation["responses"]["default"]["content"]["application/problem+json"]
            names.append(operation["operationId"])
    assert len(names) == len(set(names))


def test_every_struct_is_described_and_every_reference_leads_somewhere(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    for name, schema in schemas.items():
        if name[0] != "_" and "properties" in schema and not name.startswith("Reading"):
            assert schema["description"], name
    text = openapi.text()
    for part in text.split('"$ref": "')[1:]:
        assert part.partition('"')[0].rpartition("/")[2] in schemas


def test_field_texts_come_from_the_source(spec: dict[str, Any]) -> None:
    assert spec["components"]["schemas"]["PointSeries"]["properties"]["amount"]["description"].startswith("Energy")
