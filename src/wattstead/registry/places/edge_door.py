"""Questions about edges; the rules are in `edges`."""

from __future__ import annotations

from collections.abc import Mapping

from wattstead.registry.authority import Reach
from wattstead.registry.door import Door
from wattstead.registry.places import edge_health, edges
from wattstead.registry.records import Edge, EdgeConfiguration, EdgeEntry, EdgeHealth, EdgePlan, EdgeSettings, NewEdge
from wattstead.registry.trail import SYSTEM, Actor


class EdgeDoor(Door):
    """Which machines on site read meters there."""

    def create_edge(
        self, site_id: int, name: str, settings: EdgeSettings | None = None, by: Actor = SYSTEM
    ) -> NewEdge:  # fmt: skip
        """A new edge with the code with which a machine becomes it; raises `Unknown`, `NameInvalid`, `Conflict`."""
        with self._db.writing() as s:
            return edges.create(s, site_id, name, settings or EdgeSettings(), self._clock(), by)

    def new_edge_code(self, edge_id: int, by: Actor = SYSTEM) -> NewEdge:
        """Another code to join with; raises `Unknown`."""
        with self._db.writing() as s:
            return edges.new_code(s, edge_id, self._clock(), by)

    def join_edge(self, code: str, signing_key: str, sealing_key: str) -> Edge:
        """A machine becomes the edge of that code; raises `LinkInvalid`."""
        with self._db.writing() as s:
            return edges.join(s, code, signing_key, sealing_key, self._clock())

    def change_edge(
        self, edge_id: int, *, name: str | None = None, settings: EdgeSettings | None = None,
        enabled: bool | None = None, version: int | None = None, by: Actor = SYSTEM,
    ) -> Edge:  # fmt: skip
        """Set what is given; raises `Unknown`, `Stale`, `NameInvalid`."""
        with self._db.writing() as s:
            return edges.change(s, edge_id, name, settings, enabled, self._clock(), version=version, by=by)

    def delete_edge(self, edge_id: int, *, version: int | None = None, by: Actor = SYSTEM) -> None:
        """Remove an edge; its sources are the server's, and off; raises `Unknown`, `Stale`."""
        with self._db.writing() as s:
            edges.remove(s, edge_id, self._clock(), version=version, by=by)

    def edge(self, edge_id: int) -> Edge:
        """Raises `Unknown`."""
        with self._db.reading() as s:
            return edges.edge(s, edge_id)

    def edges(self, reach: Reach | None = None, *, site_id: int | None = None) -> list[Edge]:
        """The edges within reach (None: all), of a site, by id."""
        with self._db.reading() as s:
            return edges.edges(s, reach, site_id=site_id)

    def edge_entry(self, edge_id: int) -> EdgeEntry | None:
        """What lets an edge in; None where no machine has joined."""
        with self._db.reading() as s:
            return edges.entry(s, edge_id, self._clock())

    def edge_plan(self, edge_id: int) -> EdgePlan:
        """Everything an edge's configuration is made of, with secrets; raises `Unknown`."""
        seal = self._opened_seal()
        with self._db.reading() as s:
            return edges.plan(s, edge_id, seal, self._clock())

    def edge_number(self, edge_id: int, digest: str) -> int:
        """The number of the configuration of that digest; raises `Unknown`."""
        with self._db.writing() as s:
            return edges.number(s, edge_id, digest, self._clock())

    def edge_configurations(self, edge_id: int) -> list[EdgeConfiguration]:
        """What an edge was offered, newest first."""
        with self._db.reading() as s:
            return edges.configurations(s, edge_id)

    def keep_edge_sequences(self, uploads: Mapping[int, tuple[int, str, int]]) -> None:
        """Uploads are in the journal: number, digest, time (µs) of the last one by edge."""
        with self._db.writing() as s:
            edges.keep_sequences(s, uploads, self._clock())

    def keep_edge_health(self, edge_id: int, health: EdgeHealth) -> None:
        """What an edge says of itself; texts are cut to what is read of them."""
        with self._db.writing() as s:
            edge_health.keep_health(s, edge_id, health, self._clock())
