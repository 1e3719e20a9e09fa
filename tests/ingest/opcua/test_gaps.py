"""Messages of a subscription that were lost: the newest are asked for again, and of the others it is said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from asyncua import ua
from tests.ingest.opcua.test_binary import NOON, coded
from tests.ingest.recording_way import RecordingWay

from wattstead.ingest.opcua.decoding import Decoding
from wattstead.ingest.opcua.history import HeardFile
from wattstead.ingest.opcua.receiving import Receiver
from wattstead.ingest.opcua.settings import OpcuaSettings, PickedNode


class _Asking(Receiver):
    """Remembers which it asked for again."""

    asked: list[int]

    async def _missed(self, number: int) -> None:
        self.asked.append(number)


@pytest.mark.parametrize(("sequence", "asked", "lost"), [(6, [], ""), (9, [6, 7, 8], ""), (107, range(7, 107), "6")])
async def test_no_message_is_passed_over_in_silence(sequence: int, asked: Any, lost: str) -> None:
    made, way = OpcuaSettings(url="opc.tcp://h", nodes=(PickedNode(node="ns=2;s=A", name="A"),)), RecordingWay()
    decoding = Decoding(made)
    decoding.handles[1] = 0
    client: Any = SimpleNamespace(uaclient=SimpleNamespace(session=None))
    subscription: Any = SimpleNamespace(id=1, silence_s=10.0)
    receiver = _Asking(client, made, decoding, way, subscription, HeardFile(made, 1))
    receiver.asked = []
    for number in (5, sequence):
        await receiver._took(coded([(1, ua.Variant(1.0 * number, ua.VariantType.Double), 0, NOON)], number))
    assert receiver.asked == list(asked)
    assert [reason.partition(" lost")[0] for _, reason in way.refused] == ([f"message {lost} was"] if lost else [])
    await receiver._took(coded([(1, ua.Variant(0.0, ua.VariantType.Double), 0, NOON)], sequence + 1_001))
    assert len(receiver.asked) == len(asked) + 100 and receiver.asked[-1] == sequence + 1_000
    assert f"messages {sequence + 1} to {sequence + 900} were lost on the way" in way.refused[-1][1]
