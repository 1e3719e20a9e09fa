"""From a notification to columns: which node an item is, what its value is in the node's unit; pure, it asks nobody."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from wattstead.ingest.decoding.columns import Columns, Names
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.opcua.binary import Broken, Notification, notification
from wattstead.ingest.opcua.settings import OpcuaSettings, PickedNode
from wattstead.ingest.sources.source_protocol import Message, Unreadable
from wattstead.metering.quantity import UNITS
from wattstead.registry.names import address_fault

_BAD = 0x8000_0000


def decode(message: Message, settings: OpcuaSettings) -> Columns:
    """The values of a notification; raises `Unreadable`."""
    try:
        return Decoding(settings).columns(read(message), message)
    except ParameterInvalid as error:
        raise Unreadable(str(error)) from error


def check(settings: OpcuaSettings) -> None:
    """Raise `ParameterInvalid` where no node is picked, or nodes do not go together."""
    if not settings.nodes:
        raise ParameterInvalid("nodes", "", "a node of the server; look around to pick some")
    Decoding(settings)


def read(message: Message) -> Notification:
    """What a message says; raises `Unreadable`."""
    try:
        return notification(message.raw)
    except Broken as error:
        raise Unreadable(str(error)) from None


def handles(nodes: Sequence[PickedNode]) -> dict[int, int]:
    """The handle of each node with its place in the list; the same for the same nodes in whatever order.

    >>> nodes = [PickedNode(node="i=1"), PickedNode(node="i=2")]
    >>> sorted(handles(nodes)) == sorted(handles(nodes[::-1]))
    True
    """
    found: dict[int, int] = {}
    for at in sorted(range(len(nodes)), key=lambda at: nodes[at].node):
        handle = zlib.crc32(nodes[at].node.encode()) or 1
        while handle in found:
            handle = handle % 0xFFFF_FFFF + 1
        found[handle] = at
    return found


class Decoding:
    """What the settings say of each node, looked up once. Raises `ParameterInvalid` where nodes do not go together.

    Values that are no numbers, and those that their server calls bad, are left out and counted in ``skipped``.
    """

    def __init__(self, settings: OpcuaSettings) -> None:
        nodes = settings.nodes
        self.nodes, self.handles = nodes, handles(nodes)
        self.addresses = [settings.prefix + (node.name or node.node) for node in nodes]
        self._factors = np.array([node.factor for node in nodes])
        self._plain = bool((self._factors == 1).all())
        self._units = [node.unit for node in nodes] if any(node.unit for node in nodes) else None
        known: dict[str, str] = {}
        for at, address in enumerate(self.addresses):
            other = known.setdefault(address, nodes[at].node)
            if other != nodes[at].node or known[address] != nodes[at].node:
                raise ParameterInvalid(f"nodes[{at}].name", address, f"a name that is not also that of {other}")
            wrong = address_fault(address)
            if wrong:
                raise ParameterInvalid(f"nodes[{at}].name", address, f"an address that may be: {wrong.reason}")
            if nodes[at].unit not in UNITS:
                raise ParameterInvalid(f"nodes[{at}].unit", nodes[at].unit, "one like W, kWh, V or none")
        if len({node.node for node in nodes}) < len(nodes):
            raise ParameterInvalid("nodes", "a node", "each node once")

    def columns(self, said: Notification, message: Message) -> Columns:
        """The good numbers, each at its own time."""
        rows: list[int] = []
        values: list[float] = []
        times: list[int] = []
        places = self.handles
        for item in said.items:
            at = places.get(item.handle)
            if at is None or item.value is None or item.status & _BAD:
                continue
            rows.append(at)
            values.append(item.value)
            times.append(item.time_us or message.received_us)
        index = np.array(rows, np.int64)
        value = np.array(values, np.float64)
        if not self._plain and rows:
            value *= self._factors[index]
        finite = np.isfinite(value)
        if not finite.all():
            index, value = index[finite], value[finite]
            times = [time_us for time_us, good in zip(times, finite.tolist(), strict=True) if good]
        return Columns(
            Names(self.addresses).only(index),
            np.array(times, np.int64),
            value,
            place=lambda row: self.nodes[int(index[row])].node,
            skipped=len(said.items) - len(value),
            units=None if self._units is None else [self._units[at] for at in index.tolist()],
        )

    def bad(self, said: Notification) -> dict[str, int]:
        """The nodes whose newest value is bad, with its status."""
        found: dict[str, int] = {}
        for item in said.items:
            at = self.handles.get(item.handle)
            if at is None:
                continue
            node = self.nodes[at].node
            if item.status & _BAD:
                found[node] = item.status
            else:
                found.pop(node, None)
        return found

    def good(self, said: Notification) -> set[str]:
        """The nodes of which a value came that is not bad."""
        places = (self.handles.get(item.handle) for item in said.items if not item.status & _BAD)
        return {self.nodes[at].node for at in places if at is not None}
