"""Describing: labels, tags and units that new points get from their addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.influx.address import address_of
from wattstead.ingest.resolving.describe import described
from wattstead.registry.names import LONGEST_NAME

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("path", "name", "unit", "tags"),
    [
        ("kitchen/fridge", "kitchen/fridge", "", {}),
        ("emon/5/power1", "", "", {}),
        ("influx/meter,id=7/power", "meter 7 power", "", {"id": "7"}),
        ("influx/kWh,domain=sensor,entity_id=grid_import/value", "kWh sensor grid_import", "kWh",
         {"domain": "sensor", "entity_id": "grid_import"}),
        ("influx/°C,entity_id=roof/value", "°C roof", "°C", {"entity_id": "roof"}),
        ("influx/broken", "influx/broken", "", {}),
    ],
)  # fmt: skip
def test_addresses_from_the_field(path: str, name: str, unit: str, tags: dict[str, str]) -> None:
    found = described(path)
    assert (found.path, found.name, found.unit, dict(found.tags)) == (path, name, unit, tags)


TEXT = st.text(min_size=1, max_size=60)


@given(TEXT, st.dictionaries(TEXT, TEXT, max_size=4), TEXT)
def test_tags_are_those_that_were_sent(measurement: str, tags: dict[str, str], field: str) -> None:
    found = described(address_of(measurement, tags, field))
    assert dict(found.tags) == tags and len(found.name) <= LONGEST_NAME


@given(st.text(max_size=300))
def test_any_address_can_be_described(path: str) -> None:
    assert described(path).path == path
