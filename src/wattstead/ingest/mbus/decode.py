"""What a meter's answer says as readings: an address, a unit and a number for each record of the present.

Values of the past (storage numbers beyond 0: due dates, months) and what meters say of themselves are passed over.
"""

from __future__ import annotations

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered
from wattstead.ingest.mbus.frames import frames_of
from wattstead.ingest.mbus.records import Record, Telegram, Who, telegram_of
from wattstead.ingest.mbus.settings import MbusSettings
from wattstead.ingest.mbus.values import NotNumber, number_of, scaled
from wattstead.ingest.sources.source_protocol import Message, Unreadable

_TEXTS = (8, 13)
"""Data fields that hold no number."""
_WATERS = ("water", "warm water", "hot water", "cold water")
_BACKWARD, _FORWARD = 0x3C, 0x3B


def decode(message: Message, settings: MbusSettings) -> Columns | Few:
    """The readings of a meter's answer, of all its telegrams; raises `Unreadable`."""
    frames = frames_of(message.raw)
    if not frames:
        raise Unreadable(f"no whole frame in {len(message.raw)} bytes: its checksum is wrong, or bytes are lost")
    gathered = Gathered(message.received_us)
    telegrams = [telegram_of(frame) for frame in frames]
    prefix = _prefix(message.where, telegrams, settings)
    taken: dict[str, int] = {}
    for telegram in telegrams:
        for record in telegram.records:
            _put(gathered, record, telegram.who, prefix, taken)
    if not gathered.addresses and not gathered.rejected:
        raise Unreadable("the meter answers, and no record of it is known here")
    return gathered.columns()


def _prefix(where: str, telegrams: list[Telegram], settings: MbusSettings) -> str:
    """What the addresses of a meter begin with: as it was set, or by its number, or by how it was asked."""
    set_so = next((one.prefix for one in settings.meters if one.address == where), "")
    return set_so or f"{settings.prefix}{telegrams[0].who.number or where}/"


def _put(gathered: Gathered, record: Record, who: Who, prefix: str, taken: dict[str, int]) -> None:
    quantity = record.quantity
    if quantity is None or record.storage or record.function == "in error" or record.field in _TEXTS:
        gathered.skipped += 1
        return
    name = _name(record, who)
    taken[name] = taken.get(name, 0) + 1
    if taken[name] > 1:  # some tell phases by their order alone
        name = f"{name} {taken[name]}"
    if record.fault:
        gathered.rejected.add(f"{prefix}{name}"[:80], f"the meter says: {record.fault}")
        return
    try:
        value = scaled(number_of(record.field, record.raw), quantity.power, quantity.factor)
    except NotNumber as fault:
        gathered.rejected.add(f"{prefix}{name}"[:80], str(fault))
        return
    gathered.put(f"{prefix}{name}", value, None, quantity.unit)


def _name(record: Record, who: Who) -> str:
    """What it is called below the prefix; those of the templates are the same."""
    assert record.quantity is not None
    name = record.quantity.name
    if name == "energy" and who.medium in ("heat", "cooling"):
        name = f"{who.medium} energy"
    elif name == "volume" and (who.medium in _WATERS or who.medium == "gas"):
        name = f"{who.medium} volume"
    words = [name, record.function]
    for code in record.more:
        if code == _BACKWARD:
            words.append("export" if who.medium == "electricity" else "backward")
        elif code != _FORWARD:
            words.append(f"{code:02X}")
    if record.tariff:
        words.append(f"T{record.tariff}")
    if record.subunit:
        words.append(f"unit {record.subunit}")
    return " ".join(filter(None, words))
