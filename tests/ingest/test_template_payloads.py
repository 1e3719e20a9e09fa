"""What a device of a template sends arrives at that template's points, and nowhere else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from wattstead.ingest.emoncms.address import PREFIX
from wattstead.registry.templates.library import Shelved, shipped

if TYPE_CHECKING:
    from conftest import Door

pytestmark = pytest.mark.unit
NOW_S = 1_700_000_000
EMONCMS = [one for one in shipped() if one.template.speaks == "emoncms"]
OTHERS = [one for one in shipped() if one.template.speaks != "emoncms"]


@pytest.mark.parametrize("one", EMONCMS, ids=lambda one: str(one.template.name))
def test_a_post_of_the_emoncms_family_finds_its_points(door: Door, one: Shelved) -> None:
    template = one.template
    addresses = [template.prefix + point.address for point in template.points]
    for address in addresses:
        door.declare(address)
    node = template.prefix.removeprefix(PREFIX).rstrip("/")
    values = {point.address: 100 + at for at, point in enumerate(template.points)}
    answer = door.http.get(
        "/input/post", params={"node": node, "json": json.dumps(values), "apikey": door.key, "time": NOW_S}
    )
    assert answer.text == "ok"
    assert set(door.points.addresses(door.site)) == set(addresses)
    assert door.values() == {template.prefix + name: value for name, value in values.items()}


@pytest.mark.parametrize("one", OTHERS, ids=lambda one: str(one.template.name))
def test_a_gateway_that_posts_by_name_finds_its_points(door: Door, one: Shelved) -> None:
    """Protocols that a gateway reads are posted to the own API under the names of the template."""
    template = one.template
    addresses = [template.prefix + point.address for point in template.points]
    for address in addresses:
        door.declare(address)
    body = {"point": addresses, "time": [NOW_S] * len(addresses), "value": list(range(len(addresses)))}
    answer = door.http.post("/api/v1/readings", json=body, headers={"Authorization": f"Bearer {door.key}"})
    assert answer.json() == {"accepted": len(addresses), "rejected": []}
    assert set(door.points.addresses(door.site)) == set(addresses)
