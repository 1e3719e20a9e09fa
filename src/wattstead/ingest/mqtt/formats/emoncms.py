"""EmonCMS over MQTT: ``emon/<node>/<name>`` with a number, ``emon/<node>`` with JSON or values with commas.

Addresses are those that `wattstead.ingest.emoncms` makes of HTTP posts, so a device that changes keeps its points.
Differences from EmonCMS stand in ``docs/mqtt.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from wattstead.ingest.decoding.columns import Columns, Few, Names, Rejections
from wattstead.ingest.decoding.gathered import single
from wattstead.ingest.emoncms.address import address_of
from wattstead.ingest.emoncms.names import clean
from wattstead.ingest.emoncms.values import NameMemory, instant_of, named_alone, numbers_of
from wattstead.ingest.errors import BodyInvalid
from wattstead.ingest.mqtt.flat import NUMBER, Fields, Flat, Shape, form_of
from wattstead.ingest.mqtt.formats.format_row import Format, Topic, json_object, text_of
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.source_protocol import Unreadable

_float = msgspec.json.Decoder(float)
_numbers = msgspec.json.Decoder(dict[str, float])
_DESCRIBE = "describe"
_USUAL_S = 1e11
"""Seconds below which a time needs no closer look."""


def filters(settings: MqttSettings) -> Sequence[str]:
    """All below the first level."""
    return (f"{settings.emoncms_topic}/#",)


def claim(settings: MqttSettings, topic: str) -> Topic | None:
    """A node, or an input of one; deeper levels are joined with ``_``, as EmonCMS does."""
    base = settings.emoncms_topic + "/"
    if not topic.startswith(base):
        return None
    node, *rest = topic[len(base) :].split("/")
    found = _Node(node, "_".join(rest))
    return Topic(f"emon/{node}", found.read, Flat(found.shape))


class _Node:
    """One topic, with the names that were read there before."""

    def __init__(self, node: str, name: str) -> None:
        self.node, self.name = node, name
        self.memory = NameMemory()
        self.names = Names([address_of(node, name)]) if clean(name) else None

    def read(self, raw: bytes, received_us: int) -> Columns | Few:
        """The readings of a payload."""
        if self.names is not None:
            try:
                return single(self.names, _float.decode(raw), received_us, True)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                pass
        if raw.lstrip()[:1] == b"{":
            return self._object(raw, received_us)
        values = text_of(raw).strip().split(",")
        if self.name:
            if self.name.lower() == _DESCRIBE:  # which template a device wishes: no reading
                return _few(self, {}, received_us, None, Rejections())
            if len(values) > 1:
                raise Unreadable(f"payload is {raw[:40]!r}; expected one number")
            return _few(self, {self.name: values[0]}, received_us, None, Rejections())
        return _few(self, {str(at): value for at, value in enumerate(values, 1)}, received_us, None, Rejections())

    def shape(self, fields: Fields) -> Shape | None:
        """How objects with those fields are read."""
        if fields == NUMBER:
            return None if self.names is None else Shape(form_of(1, -1, (0,)), self.names)
        named = [str(name) for name in fields]
        time_at = named.index("time") if "time" in named else -1
        if time_at < 0:
            time_at = next((at for at, name in enumerate(named) if name.lower() == "time"), -1)
        readings = tuple(at for at in range(len(named)) if at != time_at)
        before = f"{self.name}_" if self.name else ""
        names = self.memory.names(self.node, tuple(before + named[at] for at in readings))
        return Shape(form_of(len(named), time_at, readings), names) if names is not None and readings else None

    def _object(self, raw: bytes, received_us: int) -> Few:
        found: dict[str, Any]
        try:
            found = _numbers.decode(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            found = json_object(raw)
        time = found.pop("time", None)
        if time is None:
            time = next((found.pop(name) for name in list(found) if name.lower() == "time"), None)
        if self.name:
            found = {f"{self.name}_{name}": value for name, value in found.items()}
        return _few(self, found, received_us, time, Rejections())


def _few(node: _Node, found: Mapping[str, Any], received_us: int, time: Any, rejected: Rejections) -> Few:
    if type(time) is float and 0.0 <= time < _USUAL_S:
        time_us = round(time * 1_000_000)
    else:
        try:
            time_us = received_us if time is None else instant_of("time", time)
        except BodyInvalid as fault:
            raise Unreadable(str(fault)) from None
    values = list(found.values())
    if set(map(type, values)) - {float}:
        found = numbers_of(found, rejected)
        values = list(found.values())
    names = node.memory.names(node.node, tuple(found))
    if names is None:
        found = named_alone(found, rejected)
        names, values = Names([address_of(node.node, name) for name in found]), list(found.values())
    addresses = names.addresses
    return Few(names, time_us, values, rejected, time is None, lambda row: addresses[row][:80])


EMONCMS = Format("emoncms", filters, claim)
