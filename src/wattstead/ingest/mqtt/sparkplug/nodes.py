"""Nodes: what the births of edge nodes told of aliases and types, and which messages wait for a birth.

It turns payloads into such as can be read alone, and says when a node is to be asked for a rebirth; it sends nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from wattstead.ingest.mqtt.sparkplug.payload import DataType, is_ambiguous, payload_class, payload_of
from wattstead.ingest.mqtt.sparkplug.topic import BIRTHS, NAMESPACE, SparkplugTopic

_MOST_NODES = 10_000
_MOST_HELD = 200
"""Messages of one node that wait for its birth."""
_ASK_EVERY_US = 5_000_000
_HOLD_US = 30_000_000
T = TypeVar("T")


class Known(NamedTuple):
    """What a birth told of a metric."""

    name: str
    datatype: int


class Ready(NamedTuple, Generic[T]):
    """A message that can be read alone, or cannot be read at all and why."""

    token: T
    topic: SparkplugTopic
    raw: bytes
    refused: str = ""


@dataclass
class _Node(Generic[T]):
    born: bool = False
    bd_seq: int = -1
    seq: int = -1
    aliases: dict[int, Known] = field(default_factory=dict)
    types: dict[tuple[str, str], int] = field(default_factory=dict)
    asked_us: int = -_ASK_EVERY_US
    held: list[tuple[T, SparkplugTopic, bytes, int]] = field(default_factory=list)


class Nodes(Generic[T]):
    """The edge nodes of one broker; ``T`` is what a message is known by to its receiver."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[tuple[str, str], _Node[T]] = OrderedDict()
        self._asking: list[tuple[str, str]] = []

    def take(self, token: T, topic: SparkplugTopic, raw: bytes, now_us: int) -> Sequence[Ready[T]]:
        """What can be read now: this message, and those that waited for it; none when it has to wait itself.

        Raises `Unreadable`.
        """
        payload = payload_of(raw)
        node = self._node(topic)
        if topic.kind == "NDEATH":
            died = _bd_seq(payload)
            if node.born and died not in (-1, node.bd_seq):
                return [Ready(token, topic, payload_class()().SerializeToString(), "its node was born again since")]
            node.born = False
            return [Ready(token, topic, raw)]
        if topic.kind == "NBIRTH":
            node.born, node.bd_seq, node.seq = True, _bd_seq(payload), int(payload.seq)
            node.aliases.clear()
            node.types.clear()
        elif self._out_of_step(node, int(payload.seq) if payload.HasField("seq") else None) or not node.born:
            self._ask(topic, node, now_us)
        if topic.kind in BIRTHS:
            _learn(node, topic, payload)
            return [Ready(token, topic, raw), *self._released(node, now_us)]
        named = _named(node, topic, payload)
        if named is not None:
            return [Ready(token, topic, named)]
        self._ask(topic, node, now_us)
        node.held.append((token, topic, raw, now_us))
        if len(node.held) > _MOST_HELD:
            first = node.held.pop(0)
            return [_too_late(*first[:3])]
        return []

    def rebirths(self, now_us: int) -> Sequence[tuple[str, bytes]]:
        """Topics and payloads by which nodes are asked for their births."""
        asking, self._asking = self._asking, []
        if not asking:
            return []
        command = payload_class()(timestamp=now_us // 1000)
        command.metrics.add(
            name="Node Control/Rebirth",
            timestamp=now_us // 1000,
            datatype=int(DataType.BOOLEAN),
            boolean_value=True,
        )
        raw = command.SerializeToString()
        return [(f"{NAMESPACE}/{group}/NCMD/{node}", raw) for group, node in dict.fromkeys(asking)]

    def overdue(self, now_us: int) -> Sequence[Ready[T]]:
        """Messages that waited for a birth for too long."""
        found: list[Ready[T]] = []
        for node in self._nodes.values():
            while node.held and now_us - node.held[0][3] > _HOLD_US:
                found.append(_too_late(*node.held.pop(0)[:3]))
        return found

    def _node(self, topic: SparkplugTopic) -> _Node[T]:
        key = (topic.group, topic.node)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = _Node()
            if len(self._nodes) > _MOST_NODES:
                quiet = next((one for one, found in self._nodes.items() if not found.held and one != key), None)
                if quiet is not None:
                    del self._nodes[quiet]
        self._nodes.move_to_end(key)
        return node

    @staticmethod
    def _out_of_step(node: _Node[T], seq: int | None) -> bool:
        """Whether a message before this one is missing."""
        if seq is None:
            return False
        before, node.seq = node.seq, seq
        return node.born and seq != (before + 1) % 256

    def _ask(self, topic: SparkplugTopic, node: _Node[T], now_us: int) -> None:
        if now_us - node.asked_us >= _ASK_EVERY_US:
            node.asked_us = now_us
            self._asking.append((topic.group, topic.node))

    @staticmethod
    def _released(node: _Node[T], now_us: int) -> Sequence[Ready[T]]:
        ready: list[Ready[T]] = []
        held, node.held = node.held, []
        for token, topic, raw, since_us in held:
            named = _named(node, topic, payload_of(raw))
            if named is None:
                node.held.append((token, topic, raw, since_us))
            else:
                ready.append(Ready(token, topic, named))
        return ready


def _bd_seq(payload: Any) -> int:
    for metric in payload.metrics:
        if metric.name == "bdSeq":
            return int(metric.long_value or metric.int_value)
    return -1


def _learn(node: _Node[Any], topic: SparkplugTopic, payload: Any) -> None:
    for metric in payload.metrics:
        if metric.HasField("alias"):
            node.aliases[metric.alias] = Known(metric.name, metric.datatype)
        node.types[topic.device, metric.name] = metric.datatype


def _named(node: _Node[Any], topic: SparkplugTopic, payload: Any) -> bytes | None:
    """The payload with a name and a type on each metric; None where only a birth can tell a name, or a sign."""
    for metric in payload.metrics:
        if not metric.name:
            known = node.aliases.get(metric.alias) if metric.HasField("alias") else None
            if known is None:
                return None
            metric.name = known.name
            if not metric.datatype:
                metric.datatype = known.datatype
        elif not metric.datatype:
            metric.datatype = node.types.get((topic.device, metric.name), 0)
        if is_ambiguous(metric):
            return None
    raw: bytes = payload.SerializeToString()
    return raw


def _too_late(token: T, topic: SparkplugTopic, raw: bytes) -> Ready[T]:
    reason = "no birth certificate told the names or types of its metrics, though the node was asked for one"
    return Ready(token, topic, raw, reason)
