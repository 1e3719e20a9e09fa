"""The free mapping: rows of the settings that say for a pattern of topics what is a value, its time and its point."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered, names_of, single
from wattstead.ingest.decoding.instants import TimeInvalid, from_written
from wattstead.ingest.decoding.json_path import MISSING, JsonPath
from wattstead.ingest.decoding.time_names import is_time
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.mqtt.flat import NUMBER, Fields, Flat, Shape, form_of
from wattstead.ingest.mqtt.formats.format_row import Topic, json_value
from wattstead.ingest.mqtt.settings import TopicMapping
from wattstead.ingest.mqtt.topics import TopicPattern
from wattstead.ingest.own.items import known_unit
from wattstead.ingest.sources.source_protocol import Unreadable
from wattstead.metering.quantity import UnitError

_PART = re.compile(r"\{([^{}]*)\}")
_any = msgspec.json.Decoder()


class CompiledMapping:
    """A row of the mapping, ready to read; raises `ParameterInvalid` for one that has no meaning."""

    def __init__(self, row: TopicMapping) -> None:
        self.row = row
        self.pattern = TopicPattern(row.topic)
        self.value, self.time = JsonPath(row.value), JsonPath(row.time)
        for part in _PART.findall(row.address):
            if part.startswith("."):
                JsonPath(part)
            elif part != "*" and part not in self.pattern.names:
                raise ParameterInvalid("address", row.address, f"names of the topic, {{*}} or {{.path}}; not {part!r}")
        try:
            self.unit = known_unit(row.unit)
        except UnitError as fault:
            raise ParameterInvalid("unit", row.unit, str(fault)) from None

    def claim(self, topic: str) -> Topic | None:
        """The topic with what the pattern's names met."""
        met = self.pattern.match(topic)
        if met is None:
            return None
        found = _MappedTopic(self, topic, met)
        return Topic("/".join(met.values()) or topic, found.read, Flat(found.shape) if found.is_flat else None)


class _MappedTopic:
    """One topic of a mapping: the address is made once where it depends on nothing else."""

    def __init__(self, mapping: CompiledMapping, topic: str, met: dict[str, str]) -> None:
        self.mapping, self.topic = mapping, topic
        row = mapping.row
        template = row.address or (topic if not row.value else "")
        for name, text in met.items():
            template = template.replace(f"{{{name}}}", text.replace("{", "").replace("}", ""))
        self.template = template or f"{topic}/{{*}}"
        self.implicit = not row.address
        self.fixed = bool(template) and not _PART.search(template)
        plain = self.fixed and not mapping.value.stars and not mapping.unit and row.factor == 1.0
        self.names = names_of((template,)) if plain else None

    @property
    def is_flat(self) -> bool:
        """Whether it takes a number, or a field of an object, and perhaps another for a time that may be in seconds."""
        value, time = self.mapping.value.steps, self.mapping.time.steps
        plain = all(isinstance(step, str) for step in (*value, *time)) and len(time) <= len(value) <= 1
        return self.names is not None and plain and self.mapping.row.time_format in ("auto", "s")

    def shape(self, fields: Fields) -> Shape | None:
        """How objects with those fields are read."""
        wanted: list[Any] = [*self.mapping.value.steps, *self.mapping.time.steps] or list(NUMBER)
        if self.names is None or not set(wanted) <= set(fields):
            return None
        value_at, *time_at = (fields.index(name) for name in wanted)
        return Shape(form_of(len(fields), time_at[0] if time_at else -1, (value_at,)), self.names)

    def read(self, raw: bytes, received_us: int) -> Columns | Few:
        """The readings of a payload."""
        mapping = self.mapping
        try:
            found = _any.decode(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            found = raw.decode(errors="replace") if not mapping.value.steps else json_value(raw)
        if self.names is not None:
            value = mapping.value.one(found)
            if type(value) is float or type(value) is int:
                time_us = self._time(found, ())
                at_us = received_us if time_us is None else time_us
                if -1e300 < value < 1e300:
                    return single(self.names, float(value), at_us, time_us is None)
        return self._gather(found, received_us)

    def _gather(self, found: Any, received_us: int) -> Columns | Few:
        gathered, mapping = Gathered(received_us), self.mapping
        several = bool(mapping.value.stars)
        nothing = True
        for stars, value in mapping.value.find(found):
            nothing = False
            if several and self._is_time(stars, value):
                continue
            try:
                time_us, address = self._time(found, stars), self._address(found, stars)
            except Unreadable as fault:
                if not several:
                    raise
                gathered.rejected.add("/".join(stars)[:80], str(fault))
                continue
            before = gathered.skipped
            gathered.put(address, value, time_us, mapping.unit, mapping.row.factor)
            if gathered.skipped > before and value is not None and not several:
                raise Unreadable(f"{mapping.row.value or 'payload'} is {str(value)[:40]!r}; expected a number")
        if nothing:
            raise Unreadable(f"{mapping.row.value} is missing in {str(found)[:80]!r}; correct the path of the mapping")
        return gathered.columns()

    def _is_time(self, stars: Sequence[str], found: Any) -> bool:
        """Whether what a star met is the time, or one that nobody has named: it is none of the values."""
        time, value = self.mapping.time.steps, self.mapping.value.steps
        if value[-1] is None and is_time(stars[-1], found):
            return True
        return bool(time) and _filled(time, stars) == _filled(value, stars)

    def _time(self, found: Any, stars: Sequence[str]) -> int | None:
        mapping = self.mapping
        if not mapping.time.steps:
            return None
        time = mapping.time.one(found, stars)
        if time is MISSING or time is None:
            raise Unreadable(f"{mapping.row.time} is missing; expected the time of the reading")
        try:
            return from_written(time, mapping.row.time_format)
        except TimeInvalid as fault:
            raise Unreadable(f"{mapping.row.time}: {fault}") from None

    def _address(self, found: Any, stars: tuple[str, ...]) -> str:
        if self.fixed:
            return self.template
        if self.implicit:
            path = list(stars) or [step for step in self.mapping.value.steps if isinstance(step, str)]
            return self.template.replace("{*}", "/".join(path))
        return _PART.sub(lambda part: _text(part[1], found, stars), self.template)


def _filled(steps: Sequence[str | int | None], stars: Sequence[str]) -> list[str]:
    """A path with what its stars met."""
    met = iter(stars)
    return [next(met, "") if step is None else str(step) for step in steps]


def _text(part: str, found: Any, stars: tuple[str, ...]) -> str:
    if part == "*":
        return "/".join(stars)
    value = JsonPath(part).one(found, stars)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unreadable(f"{part} is {'missing' if value is MISSING else type(value).__name__}; expected a name")
    return str(value)
