"""Treating: what people want done with readings of some addresses before they are kept: dropped, scaled, thinned out.

Averages are made when readings are sent (`wattstead.edge.windows`), from what is on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np

from wattstead.ingest.decoding.columns import Columns, Names
from wattstead.ingest.reception import Already, Kept, Reception
from wattstead.registry.records import EdgeRule, KeyGrant, Treatment

_MOST_KNOWN = 100_000
_AT_THE_DOOR = (Treatment.DROP, Treatment.SCALE, Treatment.DEADBAND)
Treated = dict[Treatment, EdgeRule]


class Treatments:
    """The rules of an edge; it remembers the last reading kept of each address with a dead band."""

    def __init__(self, rules: Sequence[EdgeRule] = ()) -> None:
        self._rules = tuple(rules)
        self._known: dict[str, Treated] = {}
        self._last: dict[tuple[int, str], tuple[int, float]] = {}
        self.dropped = 0
        """Readings that were not kept because a rule says so."""

    def learn(self, rules: Sequence[EdgeRule]) -> None:
        """Other rules from now on."""
        if tuple(rules) != self._rules:
            self._rules, self._known, self._last = tuple(rules), {}, {}

    def of(self, address: str) -> Treated:
        """The rule of each treatment that counts for an address: the first that fits."""
        found = self._known.get(address)
        if found is None:
            found = {}
            for rule in self._rules:
                if rule.treatment not in found and fnmatchcase(address, rule.pattern):
                    found[rule.treatment] = rule
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[address] = found
        return found

    def touch(self, addresses: Iterable[str]) -> bool:
        """Whether a reading of one of these is changed or left out at the door."""
        return bool(self._rules) and any(one in _AT_THE_DOOR for address in addresses for one in self.of(address))

    def treat(self, place: int, columns: Columns) -> Columns:
        """The readings that are to be kept, as they are to be kept; the same columns again give the same."""
        if not self.touch(columns.names.addresses):
            return columns
        value, kept = columns.value.copy(), np.ones(len(columns), np.bool_)
        for row in range(len(columns)):
            rules = self.of(columns.names.address(row))
            scale = rules.get(Treatment.SCALE)
            if scale is not None:
                value[row] = value[row] * scale.factor + scale.offset
            kept[row] = Treatment.DROP not in rules and self._beyond(
                (place, columns.names.address(row)), rules.get(Treatment.DEADBAND), int(columns.time_us[row]),
                float(value[row]),
            )  # fmt: skip
        self.dropped += int((~kept).sum())
        return replace(columns, value=value).keep(kept)

    def _beyond(self, series: tuple[int, str], rule: EdgeRule | None, time_us: int, value: float) -> bool:
        """Whether a reading differs enough from the last one kept; one that is late, or comes again, always does."""
        if rule is None:
            return True
        last = self._last.get(series)
        if last is not None and time_us > last[0]:
            waited = rule.every_s > 0 and time_us - last[0] >= rule.every_s * 1_000_000
            if not waited and abs(value - last[1]) <= rule.band:
                return False
        if last is None or time_us >= last[0]:
            self._last[series] = time_us, value
        return True


def averages(rules: Sequence[EdgeRule]) -> list[tuple[str, int]]:
    """Patterns of addresses that are averaged, with the seconds."""
    return [(one.pattern, one.every_s) for one in rules if one.treatment is Treatment.AVERAGE]


class EdgeReception(Reception):
    """The way in of an edge: treats readings, then keeps them as a server does."""

    treatments: Treatments

    def few_encoded(
        self, grant: KeyGrant, names: Names, time_us: int, values: list[float], untimed: bool
    ) -> bytes | None:
        """None, too, where something is to be treated."""
        if self.treatments.touch(names.addresses):
            return None
        return super().few_encoded(grant, names, time_us, values, untimed)

    def columns_encoded(self, grant: KeyGrant, columns: Columns) -> bytes | None:
        """None, too, where something is to be treated."""
        return None if self.treatments.touch(columns.names.addresses) else super().columns_encoded(grant, columns)

    async def keep(
        self,
        grant: KeyGrant,
        columns: Columns,
        times_needed: bool = False,
        already: Already | None = None,
        future_us: int | None = None,
    ) -> Kept:
        """Treat, then keep."""
        treated = self.treatments.treat(grant.id, columns)
        return await super().keep(grant, treated, times_needed, already, future_us)
