"""Receiving: the nodes subscribed to, each message kept before it is acknowledged; it connects once.

What changed while nobody was connected is `history`'s affair.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from asyncua import Client, ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import Primitives, nodeid_from_binary, struct_from_binary

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.opcua.connecting import connected, failed
from wattstead.ingest.opcua.decoding import Decoding, read
from wattstead.ingest.opcua.history import HeardFile, catch_up, say_gap
from wattstead.ingest.opcua.settings import OpcuaSettings
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable, Way

_SIGN_OF_LIFE_S = 10.0
_AT_ONCE = 2
"""Requests to publish that wait at the server, so that it can send while we store."""
_ITEMS_A_REQUEST = 500
_MOST_REPEATED = 100
_SHOWN = 5


async def run(settings: OpcuaSettings, way: Way) -> None:
    """Receive until cancelled; raises `SourceFailed`."""
    if not settings.nodes:
        raise SourceFailed("no node is picked; browse the server and pick some", hopeless=True)
    try:
        decoding = Decoding(settings)
    except ParameterInvalid as error:
        raise SourceFailed(str(error), hopeless=True) from error
    async with connected(settings) as client:
        file = HeardFile(settings, way.source_id)
        try:
            await _received(client, settings, decoding, way, file)
        except (OSError, TimeoutError, ua.UaError) as error:
            raise failed(settings, error) from error
        finally:
            file.save()


async def _received(client: Client, settings: OpcuaSettings, decoding: Decoding, way: Way, file: HeardFile) -> None:
    """Catch up with what was missed, subscribe, take what changed meanwhile, and receive."""
    places = await node_ids(client, [node.node for node in settings.nodes])

    async def keep(message: Message) -> None:
        said = read(message)
        columns = decoding.columns(said, message)
        if len(columns):
            await way.keep(columns, message)
        file.kept(said, decoding)

    await catch_up(client, settings, decoding, places, file, keep)
    subscription = await _subscribed(client, settings, decoding, places, way)
    without = await catch_up(client, settings, decoding, places, file, keep)
    say_gap(file, without, way, 2 * settings.publish_s + 1)
    await Receiver(client, settings, decoding, way, subscription, file).receive()


class Subscription(NamedTuple):
    """What the server made of what was asked for."""

    id: int
    silence_s: float
    """After which it is taken for dead, when nothing at all came."""


async def _subscribed(
    client: Client, settings: OpcuaSettings, decoding: Decoding, places: Sequence[ua.NodeId], way: Way
) -> Subscription:
    asked = ua.CreateSubscriptionRequest()
    alive = max(1, math.ceil(_SIGN_OF_LIFE_S / settings.publish_s))
    asked.Parameters.RequestedPublishingInterval = settings.publish_s * 1000
    asked.Parameters.RequestedMaxKeepAliveCount = alive
    asked.Parameters.RequestedLifetimeCount = 10 * alive
    asked.Parameters.MaxNotificationsPerPublish = 0
    asked.Parameters.PublishingEnabled = True
    made = struct_from_binary(ua.CreateSubscriptionResponse, await client.uaclient.session._send_request(asked))
    made.ResponseHeader.ServiceResult.check()
    alive_s = made.Parameters.RevisedPublishingInterval / 1000 * made.Parameters.RevisedMaxKeepAliveCount
    subscription = Subscription(made.Parameters.SubscriptionId, 2 * alive_s + settings.timeout_s)
    refused: list[str] = []
    items = sorted(decoding.handles.items(), key=lambda one: one[1])
    for start in range(0, len(items), _ITEMS_A_REQUEST):
        part = items[start : start + _ITEMS_A_REQUEST]
        request = ua.CreateMonitoredItemsParameters()
        request.SubscriptionId = subscription.id
        request.TimestampsToReturn = ua.TimestampsToReturn.Both
        request.ItemsToCreate = [_item(places[at], handle, settings) for handle, at in part]
        results = await client.uaclient.create_monitored_items(request)
        for (_, at), result in zip(part, results, strict=True):
            if not result.StatusCode.is_good():
                refused.append(f"{settings.nodes[at].node}: {result.StatusCode.name}")
    _say(settings, refused, way)
    return subscription


def _say(settings: OpcuaSettings, refused: Sequence[str], way: Way) -> None:
    """Who answers, and which nodes it does not have."""
    told = "; ".join(refused[:_SHOWN]) + ("; …" if len(refused) > _SHOWN else "")
    if len(refused) == len(settings.nodes):
        raise SourceFailed(f"{settings.url} has none of the nodes: {told}")
    if refused:
        reason = f"{len(refused)} of {len(settings.nodes)} nodes are refused: {told}"
        way.refuse(Message(b"", "nodes", way.present_us()), reason)
        way.connected(f"{settings.url}, {reason}")
    else:
        way.connected(settings.url)


def _item(node: ua.NodeId, handle: int, settings: OpcuaSettings) -> ua.MonitoredItemCreateRequest:
    item = ua.MonitoredItemCreateRequest()
    item.ItemToMonitor.NodeId = node
    item.ItemToMonitor.AttributeId = ua.AttributeIds.Value
    item.MonitoringMode = ua.MonitoringMode.Reporting
    item.RequestedParameters.ClientHandle = handle
    item.RequestedParameters.SamplingInterval = settings.sample_s * 1000
    item.RequestedParameters.QueueSize = settings.queue_size
    item.RequestedParameters.DiscardOldest = True
    if settings.unchanged:
        item.RequestedParameters.Filter = ua.DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValueTimestamp)
    return item


async def node_ids(client: Client, names: Sequence[str]) -> list[ua.NodeId]:
    """Nodes as they are written in the settings, as this server numbers its namespaces now.

    ``nsu=URI;…`` names a namespace, whose number may be another after the server's next start. Raises `SourceFailed`.
    """
    uris = await client.get_namespace_array() if any(name.startswith("nsu=") for name in names) else []
    found = []
    for name in names:
        plain = name
        if name.startswith("nsu="):
            uri, _, rest = name[4:].partition(";")
            if uri not in uris:
                raise SourceFailed(f"the server has no namespace {uri!r}; it has {', '.join(uris)}"[:1000])
            plain = f"ns={uris.index(uri)};{rest}"
        try:
            found.append(ua.NodeId.from_string(plain))
        except ua.UaError:
            raise SourceFailed(f"{name[:200]!r} is no node; expected like ns=2;s=Meter.Power", hopeless=True) from None
    return found


class Receiver:
    """A subscription being listened to."""

    def __init__(
        self, client: Client, settings: OpcuaSettings, decoding: Decoding, way: Way, subscription: Subscription,
        file: HeardFile,
    ) -> None:  # fmt: skip
        self._session = client.uaclient.session
        self._settings, self._decoding, self._way, self._subscription = settings, decoding, way, subscription
        self._file = file
        self._unacknowledged: list[int] = []
        self._last = 0
        self._bad: set[str] = set()

    async def receive(self) -> None:
        """Keep what comes, in order; raises `SourceFailed` and what the library raises."""
        waiting: deque[asyncio.Task[bytes]] = deque()
        try:
            while True:
                while len(waiting) < _AT_ONCE:
                    waiting.append(asyncio.create_task(self._publish()))
                try:
                    async with asyncio.timeout(self._subscription.silence_s):
                        raw = await asyncio.shield(waiting[0])
                except TimeoutError:
                    silence = f"nothing came for {self._subscription.silence_s:g} s"
                    raise SourceFailed(f"{self._settings.url} is silent: {silence}") from None
                waiting.popleft()
                waiting.append(asyncio.create_task(self._publish()))
                await self._took(raw)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _publish(self) -> bytes:
        """The next message of the server, which hears what has been kept meanwhile."""
        request = ua.PublishRequest()
        kept, self._unacknowledged = self._unacknowledged, []
        request.Parameters.SubscriptionAcknowledgements = [
            ua.SubscriptionAcknowledgement(SubscriptionId=self._subscription.id, SequenceNumber=number)
            for number in kept
        ]
        data = await self._answer(request)
        Primitives.UInt32.unpack(data)  # the subscription: there is one
        count = max(0, Primitives.Int32.unpack(data))
        data.read(4 * count + 1)  # numbers that could be sent again, and whether there is more
        return bytes(data)

    async def _answer(self, request: Any) -> Buffer:
        """What stands behind the head of an answer; raises what the head says."""
        data = await self._session._send_request(request, timeout=0)
        nodeid_from_binary(data)
        struct_from_binary(ua.ResponseHeader, data).ServiceResult.check()
        return data

    async def _took(self, raw: bytes) -> None:
        message = Message(raw, "notification", self._way.present_us())
        try:
            said = read(message)
        except Unreadable as error:
            self._way.refuse(message, str(error))
            return
        if said.closed:
            raise SourceFailed(f"{self._settings.url} ended the subscription: {ua.StatusCode(said.closed).name}")
        self._file.alive(self._way.present_us())
        if not said.items:
            return  # a sign of life
        missed = range(self._last + 1, said.sequence) if self._last else range(0)
        if len(missed) > _MOST_REPEATED:
            first, missed = missed[0], missed[-_MOST_REPEATED:]
            self._lost(first, missed[0] - 1, "no more than the newest of so many are asked for again")
        for number in missed:
            await self._missed(number)
        self._last = said.sequence
        await self._keep(message)

    async def _missed(self, number: int) -> None:
        """A message that was lost on the way is asked for again; where the server has it no more, that is told."""
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = self._subscription.id
        request.Parameters.RetransmitSequenceNumber = number
        try:
            raw = bytes(await self._answer(request))
        except ua.UaStatusCodeError as error:
            self._lost(number, number, f"not there any more: {error}")
            return
        await self._keep(Message(raw, "notification", self._way.present_us()))

    def _lost(self, first: int, last: int, why: str) -> None:
        """A dead letter that says of which messages nothing is known."""
        which = f"message {first} was" if first == last else f"messages {first} to {last} were"
        lost = Message(b"", f"notification {first}", self._way.present_us())
        self._way.refuse(lost, f"{which} lost on the way: {why}"[:300])

    async def _keep(self, message: Message) -> None:
        said = read(message)
        columns = self._decoding.columns(said, message)
        if len(columns):
            await self._way.keep(columns, message)
        self._file.kept(said, self._decoding)
        bad = self._decoding.bad(said)
        fresh = {node: status for node, status in bad.items() if node not in self._bad}
        self._bad = (self._bad - self._decoding.good(said)) | bad.keys()
        if fresh:
            shown = [f"{node}: {ua.StatusCode(status).name}" for node, status in list(fresh.items())[:_SHOWN]]
            more = f" and {len(fresh) - _SHOWN} more" if len(fresh) > _SHOWN else ""
            self._way.refuse(message, f"no good value any more of {'; '.join(shown)}{more}; left out until it is good")
        self._unacknowledged.append(said.sequence)
