"""History: what changed while nobody was connected, asked of the server afterwards; where it keeps none, that is said.

Until when each node was heard is kept beside our certificate, written every few seconds: what is asked for twice is
stored once. Values come as notifications, so that a dead letter of them is decoded like any other.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
from asyncua import Client, ua
from asyncua.ua.ua_binary import struct_to_binary

from wattstead.ingest.opcua import identity
from wattstead.ingest.opcua.binary import Notification
from wattstead.ingest.opcua.decoding import Decoding
from wattstead.ingest.opcua.settings import OpcuaSettings
from wattstead.ingest.sources.source_protocol import Message, Way

_VALUES_AT_ONCE = 5_000
_NODES_AT_ONCE = 500
_SAVE_S = 5.0
_AHEAD_US = 86_400_000_000
"""How far ahead of ours a server's clock may be."""
_SHOWN = 3
Keep = Callable[[Message], Awaitable[None]]


class Heard(msgspec.Struct):
    """Until when a server was heard."""

    nodes: dict[str, int] = {}
    """The newest time of its source that was kept of each node, µs."""
    alive_us: int = 0
    """When it last said anything, by our clock; 0: never."""


class HeardFile:
    """What was heard of its server by one source, on disk as long as there is a folder for it."""

    def __init__(self, settings: OpcuaSettings, source_id: int) -> None:
        """What was written before files were of one source is read once."""
        folder, place = identity.folder(), f"{settings.url}\n{settings.prefix}"
        self._file: Path | None = None if folder is None else _file(folder, f"{source_id}\n{place}")
        self._saved = time.monotonic()
        self.heard = Heard()
        for file in [_file(folder, place), _file(folder, f"{source_id}\n{place}")] if folder is not None else []:
            with contextlib.suppress(OSError, msgspec.MsgspecError):
                self.heard = msgspec.json.decode(file.read_bytes(), type=Heard)

    def kept(self, said: Notification, decoding: Decoding) -> None:
        """These values are in the journal; what is said of days to come says nothing of what was heard until then."""
        latest_us = time.time_ns() // 1000 + _AHEAD_US
        for item in said.items:
            at = decoding.handles.get(item.handle)
            if at is not None and self.heard.nodes.get(decoding.nodes[at].node, 0) < item.time_us <= latest_us:
                self.heard.nodes[decoding.nodes[at].node] = item.time_us

    def alive(self, now_us: int) -> None:
        """The server said something."""
        self.heard.alive_us = now_us
        if time.monotonic() - self._saved > _SAVE_S:
            self.save()

    def save(self) -> None:
        """Put it on disk; a disk that is full costs some history asked for again."""
        self._saved = time.monotonic()
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(self.heard))
            fresh.replace(self._file)


def _file(folder: Path, named: str) -> Path:
    return folder / f"heard-{hashlib.sha256(named.encode()).hexdigest()[:16]}.json"


async def catch_up(
    client: Client, settings: OpcuaSettings, decoding: Decoding, places: Sequence[ua.NodeId], file: HeardFile,
    keep: Keep,
) -> list[str]:  # fmt: skip
    """Keep what the server's history has of each node since it was heard; the nodes of which it has none, and why."""
    without: list[str] = []
    wanted = [(handle, at) for handle, at in sorted(decoding.handles.items(), key=lambda one: one[1])
              if settings.nodes[at].node in file.heard.nodes]  # fmt: skip
    historic = await _historic(client, [places[at] for _, at in wanted])
    for (handle, at), kept in zip(wanted, historic, strict=True):
        name = settings.nodes[at].node
        since_us = file.heard.nodes[name]
        if not kept:
            without.append(name)
            continue
        try:
            await _node(client, places[at], handle, since_us, keep)
        except ua.UaStatusCodeError as error:
            without.append(f"{name}: {ua.StatusCode(error.code).name}")
    return without


async def _historic(client: Client, nodes: Sequence[ua.NodeId]) -> list[bool]:
    """Of which nodes this user may read a history."""
    found: list[bool] = []
    for start in range(0, len(nodes), _NODES_AT_ONCE):
        part = list(nodes[start : start + _NODES_AT_ONCE])
        for told in await client.uaclient.read_attributes(part, ua.AttributeIds.UserAccessLevel):
            level = told.Value.Value if told.Value is not None else None
            found.append(isinstance(level, int) and bool(level >> ua.AccessLevel.HistoryRead & 1))
    return found


async def _node(client: Client, node: ua.NodeId, handle: int, since_us: int, keep: Keep) -> None:
    asked = ua.ReadRawModifiedDetails()
    asked.IsReadModified, asked.ReturnBounds, asked.NumValuesPerNode = False, False, _VALUES_AT_ONCE
    asked.EndTime = datetime.datetime.now(datetime.UTC) + datetime.timedelta(microseconds=_AHEAD_US)
    more: bytes | None = None
    while True:
        if not more:
            epoch = datetime.datetime.fromtimestamp(0, datetime.UTC)
            asked.StartTime = epoch + datetime.timedelta(microseconds=since_us + 1)
        answer = await client.get_node(node).history_read(asked, more)
        answer.StatusCode.check()
        found = getattr(answer.HistoryData, "DataValues", None) or ()
        timed = [one for one in found if one.SourceTimestamp is not None]
        if not timed:
            return
        now_us = time.time_ns() // 1000
        await keep(Message(_notified(handle, timed), "history", now_us))
        newest = max(one.SourceTimestamp for one in timed)
        newest_us = round(newest.replace(tzinfo=datetime.UTC).timestamp() * 1_000_000)
        more = answer.ContinuationPoint  # a server may give less at once than it is asked for
        if newest_us <= since_us or (not more and len(found) < _VALUES_AT_ONCE):
            return
        since_us = newest_us


def say_gap(file: HeardFile, without: Sequence[str], way: Way, least_s: float) -> None:
    """A dead letter that says of what nothing is known, where the silence was longer than usual."""
    now_us, alive_us = way.present_us(), file.heard.alive_us
    if not without or not alive_us or now_us - alive_us < least_s * 1_000_000:
        return
    span = [
        datetime.datetime.fromtimestamp(us / 1e6, datetime.UTC).isoformat("T", "seconds") for us in (alive_us, now_us)
    ]
    shown = "; ".join(without[:_SHOWN]) + ("; …" if len(without) > _SHOWN else "")
    reason = (
        f"what changed from {span[0]} to {span[1]} is not known of {len(without)} nodes: the server keeps no history"
    )
    way.refuse(Message(b"", "history", now_us), f"{reason} ({shown})")


def _notified(handle: int, values: Sequence[ua.DataValue]) -> bytes:
    """Values of the past as a notification; its number is 0, which no subscription has."""
    changes = ua.DataChangeNotification()
    changes.MonitoredItems = [ua.MonitoredItemNotification(ClientHandle=handle, Value=one) for one in values]
    return bytes(struct_to_binary(ua.NotificationMessage(SequenceNumber=0, NotificationData=[changes])))
