"""Records of an M-Bus answer (EN 13757-3): who answers, and what each record says; times are not its affair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wattstead.ingest.mbus.values import ERRORS, FIRST, LENGTHS, MEDIA, PRIMARY, SECOND, Quantity
from wattstead.ingest.sources.source_protocol import Unreadable

_WITH_HEADER, _SHORT_HEADER, _NO_HEADER, _FIXED, _ERROR = 0x72, 0x7A, 0x78, 0x73, 0x70
_HEADER, _BODY = 12, 7
_EXTENDED = 0x80
_MAKERS_DATA, _MORE, _IDLE = 0x0F, 0x1F, 0x2F
_FIRST, _SECOND = 0xFB, 0xFD
_TEXT = 0x7C
_MOST_EXTENSIONS = 10
_VARIABLE, _SPECIAL = 13, 15
_OF_ANOTHER_KIND = (*range(0x20, 0x3A), *range(0x3D, 0x70), *range(0x78, 0x7D))
"""Extensions by which a value is a rate, a limit, a count, a duration or a date of the quantity, or has a correction
added or another system's unit, and is not the quantity."""
_FUNCTIONS = ("", "max", "min", "in error")


class Who(NamedTuple):
    """Who answers; empty where the answer does not say."""

    number: str = ""
    """Eight digits."""
    maker: str = ""
    """Three letters."""
    version: int = 0
    medium: str = "other"

    secondary: str = ""
    """By which it can be selected, 16 hex digits."""


class Record(NamedTuple):
    """One record."""

    quantity: Quantity | None
    """None: about the meter itself, a date, or unknown here."""
    field: int
    raw: bytes
    function: str
    storage: int
    tariff: int
    subunit: int
    more: tuple[int, ...]
    """What extends the VIF beyond the quantity."""
    fault: str
    """What the meter says is wrong."""


class Telegram(NamedTuple):
    """An answer, read."""

    who: Who
    records: list[Record]
    more_follows: bool


def telegram_of(frame: bytes) -> Telegram:
    """A long frame; raises `Unreadable`."""
    told, body = frame[6], frame[_BODY:-2]
    if told == _ERROR:
        raise Unreadable(f"the meter reports an error, code {body[0] if body else 'none'}")
    if told == _FIXED:
        raise Unreadable("the answer has the fixed form of meters from before 1997, which is not read")
    if told == _NO_HEADER:
        who, data = Who(), body
    elif told == _SHORT_HEADER and len(body) >= 4:
        _check_plain(body[2:4])
        who, data = Who(), body[4:]
    elif told == _WITH_HEADER and len(body) >= _HEADER:
        _check_plain(body[10:12])
        who, data = _who(body), body[_HEADER:]
    else:
        raise Unreadable(f"the answer is of kind {told:02X} with {len(body)} bytes; expected one with a header (72)")
    reader = _Reader(data)
    records = list(reader.records())
    return Telegram(who, records, reader.more_follows)


def _check_plain(configuration: bytes) -> None:
    mode = configuration[1] & 0x1F
    if mode:
        raise Unreadable(f"the answer is encrypted (mode {mode}), which is not read")


def _who(header: bytes) -> Who:
    number, code = header[3::-1].hex().upper(), int.from_bytes(header[4:6], "little")
    maker = "".join(chr(64 + (code >> shift & 31)) for shift in (10, 5, 0))
    medium = MEDIA.get(header[7], f"medium {header[7]:02X}")
    return Who(number, maker, header[6], medium, number + header[4:8].hex().upper())


class _Reader:
    """Walks through the bytes of the records."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self.more_follows = False

    def records(self) -> Iterator[Record]:
        """Each record; raises `Unreadable` where bytes are missing."""
        while self._at < len(self._data):
            dif = self._byte()
            if dif in (_MAKERS_DATA, _MORE):
                self.more_follows = dif == _MORE
                return
            if dif == _IDLE:
                continue
            if dif & 0x0F == _SPECIAL:
                raise Unreadable(f"record {dif:02X} at byte {self._at} is of a kind that has no length")
            yield self._record(dif)

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _bytes(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise Unreadable(f"the last record ends {end - len(self._data)} bytes too early")
        found, self._at = self._data[self._at : end], end
        return found

    def _extensions(self, first: int) -> list[int]:
        found: list[int] = []
        last = first
        while last & _EXTENDED:
            last = self._byte()
            found.append(last)
            if len(found) > _MOST_EXTENSIONS:
                raise Unreadable(f"a record has more than {_MOST_EXTENSIONS} extensions")
        return found

    def _record(self, dif: int) -> Record:
        storage, tariff, subunit = dif >> 6 & 1, 0, 0
        for at, dife in enumerate(self._extensions(dif)):
            storage |= (dife & 0x0F) << (1 + 4 * at)
            tariff |= (dife >> 4 & 3) << (2 * at)
            subunit |= (dife >> 6 & 1) << at
        vif = self._byte()
        text = ""
        if vif & 0x7F == _TEXT:
            text = self._bytes(self._byte())[::-1].decode("latin-1").strip()
        extensions = [one & 0x7F if one != 0xFF else one for one in self._extensions(vif)]
        quantity, extensions = _quantity(vif, extensions, text)
        raw = self._bytes(self._length(dif & 0x0F))
        quantity, more, fault = _modified(quantity, extensions)
        function = _FUNCTIONS[dif >> 4 & 3]
        return Record(quantity, dif & 0x0F, raw, function, storage, tariff, subunit, more, fault)

    def _length(self, field: int) -> int:
        if field != _VARIABLE:
            return LENGTHS[field]
        told = self._byte()
        if told <= 0xBF:
            return told
        if told <= 0xEF:  # decimal numbers of up to 15 bytes, positive, negative, and binary ones
            return told & 0x0F
        raise Unreadable(f"a record of variable length has the length code {told:02X}")


def _quantity(vif: int, extensions: list[int], text: str) -> tuple[Quantity | None, list[int]]:
    if text:
        return Quantity(text[:40].lower(), ""), extensions
    if vif == _FIRST and extensions:
        return FIRST.get(extensions[0] & 0x7F), extensions[1:]
    if vif == _SECOND and extensions:
        return SECOND.get(extensions[0] & 0x7F), extensions[1:]
    return PRIMARY.get(vif & 0x7F), extensions


def _modified(quantity: Quantity | None, extensions: list[int]) -> tuple[Quantity | None, tuple[int, ...], str]:
    """The quantity with the corrections that extensions make; the others; and what is wrong."""
    fault = ""
    others: list[int] = []
    for at, code in enumerate(extensions):
        if code in (0xFF, 0x7F):  # what follows are the maker's own
            others += [0x7F, *(one & 0x7F for one in extensions[at + 1 :])]
            break
        if code < 0x20:
            fault = fault or ERRORS.get(code, f"error {code:02X}" if code else "")
        elif code in _OF_ANOTHER_KIND:
            quantity = None
        elif 0x70 <= code <= 0x77 and quantity:
            quantity = quantity._replace(power=quantity.power + (code & 7) - 6)
        elif code == 0x7D and quantity:
            quantity = quantity._replace(power=quantity.power + 3)
        else:
            others.append(code)
    return quantity, tuple(others), fault
