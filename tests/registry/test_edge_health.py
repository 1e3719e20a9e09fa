"""What edges say of themselves is kept as far as it can be, whatever they say."""

from __future__ import annotations

from wattstead.registry.records import EdgeHealth, Site
from wattstead.registry.registry import Registry


def test_what_an_edge_says_is_cut_and_stored(registry: Registry, site: Site) -> None:
    edge = registry.join_edge(registry.create_edge(site.id, "Pi").code, "signing", "sealing")
    number = registry.edge_number(edge.id, "digest")
    long = "why\0 \ud800" + "x" * 100_000
    health = EdgeHealth(
        program=long, refused=number, refused_why=long, thinned_why=long, last_error=long, letters=3,
        sources={f"{at}\0": long for at in range(2_000)},
    )  # fmt: skip
    registry.keep_edge_health(edge.id, health)
    found = registry.edge(edge.id).health
    assert found.letters == 3 and found.program.startswith("why xxx") and len(found.program) == 50
    for text in (found.refused_why, found.thinned_why, found.last_error, found.sources["7"]):
        assert text.startswith("why xxx") and len(text) == 1_000
    assert len(found.sources) == 1_000
    assert registry.edge_configurations(edge.id)[0].refused_why == found.refused_why


def test_a_clock_is_compared_with_ours_when_it_was_told(registry: Registry, site: Site) -> None:
    """The edge is heard of again before it tells its clock again, and would seem to be behind."""
    edge = registry.join_edge(registry.create_edge(site.id, "Cellar").code, "signing", "sealing")
    registry.keep_edge_health(edge.id, EdgeHealth(clock_us=5_000_000, heard_us=1))
    found = registry.edge(edge.id)
    assert found.last_seen is not None and found.health.clock_us == 5_000_000
    assert found.health.heard_us == int(found.last_seen.timestamp() * 1e6)
