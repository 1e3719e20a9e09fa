"""Layout: where in a device's answers each number stands, and the columns made of them; pure, it asks nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Columns, Names, Rejections
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.modbus.meters import Meter, meters_of, spans_of
from wattstead.ingest.modbus.plan import Block, Span
from wattstead.ingest.modbus.settings import ModbusSettings, NamedRegister
from wattstead.ingest.sources.source_protocol import Message, Unreadable

_WHERE = re.compile(r"^unit (?P<unit>\d{1,3})(?P<blocks>(?: (?:holding|input) \d{1,5}\+\d{1,3})+)$")
_BLOCK = re.compile(r"(holding|input) (\d+)\+(\d+)")
_FURTHEST_POWER = 10
"""SunSpec's scale factors lie between -10 and 10."""
_NO_SCALE = -32_768
_POWERS = 10.0 ** np.arange(_FURTHEST_POWER + 1)
_REMEMBERED_MASKS = 32


def where_of(unit: int, blocks: Sequence[Block]) -> str:
    """What a message of these blocks is called.

    >>> where_of(1, [Block("input", 0, 24)])
    'unit 1 input 0+24'
    """
    return " ".join([f"unit {unit}", *map(str, blocks)])


def decode(message: Message, settings: ModbusSettings) -> Columns:
    """The numbers of one device's answers, which stand in ``raw`` one block after the other; raises `Unreadable`."""
    found = _WHERE.match(message.where)
    if found is None:
        raise Unreadable(f"{message.where[:80]!r} names no registers; expected like 'unit 1 input 0+24'")
    unit = int(found["unit"])
    blocks = [Block(table, int(at), int(count)) for table, at, count in _BLOCK.findall(found["blocks"])]
    try:
        meter = next((meter for meter in meters_of(settings) if meter.unit == unit), None)
    except ParameterInvalid as error:
        raise Unreadable(str(error)) from error
    if meter is None:
        raise Unreadable(f"unit {unit} is none of the source's devices any more")
    return Layout(meter, blocks).columns(message)


class _Group(NamedTuple):
    """Rows that are written in the same form, one after the other."""

    rows: slice
    picked: slice
    form: np.dtype[np.generic]
    absent: int | None


class Layout:
    """How the answers to some blocks are read; made once, used for each answer.

    A number of which not all registers were answered is left out, and so is one whose device says that it has none;
    those are counted in ``skipped``.
    """

    def __init__(self, meter: Meter, blocks: Sequence[Block]) -> None:
        starts, length = _starts(blocks)
        readable = [one for one in meter.registers if all(_start(starts, *span) >= 0 for span in spans_of(one))]
        self.unit, self.blocks, self.length = meter.unit, tuple(blocks), length
        self.registers = sorted(readable, key=lambda one: (one.form.removesuffix("le"), one.full))
        self.names = Names([meter.prefix + one.name for one in self.registers])
        self.units = [one.unit for one in self.registers]
        self._by_mask: dict[bytes, tuple[Names, NDArray[np.int64]]] = {}
        self._groups, self._picks = _groups(self.registers, starts)
        factors = np.array([one.factor for one in self.registers])
        shrinks = (factors != 0) & (np.abs(factors) < 1)
        with np.errstate(over="ignore", invalid="ignore"):
            whole = np.where(shrinks, np.rint(1 / np.where(shrinks, factors, 1.0)), 1.0)
            exact = shrinks & (np.abs(whole * factors - 1) < 1e-12)
        self._divide = np.where(exact, whole, 1.0)  # 9 / 100 is 0.09 to the last digit, 9 * 0.01 is not
        self._multiply = np.where(exact, 1.0, factors)
        self._offset = np.array([one.offset for one in self.registers])
        scaled = [row for row, one in enumerate(self.registers) if one.scale_at is not None]
        self._scaled = np.array(scaled, np.int64)
        self._scales = np.array(
            [_start(starts, self.registers[row].table, self.registers[row].scale_at or 0) for row in scaled], np.int64
        )
        self._plain = bool((self._divide == 1).all() and (self._multiply == 1).all() and (self._offset == 0).all())

    def values(self, raw: bytes) -> tuple[NDArray[np.float64], NDArray[np.bool_], Rejections]:
        """Per row its number, and whether there is one, and what is wrong with some; raises `Unreadable`."""
        if len(raw) != self.length:
            raise Unreadable(f"{len(raw)} bytes came for {self.length // 2} registers; expected two for each")
        octets = np.frombuffer(raw, np.uint8)
        picked = octets[self._picks]
        value = np.empty(len(self.registers))
        there = np.ones(len(self.registers), np.bool_)
        for group in self._groups:
            numbers = picked[group.picked].view(group.form)
            value[group.rows] = numbers
            if group.absent is not None:
                there[group.rows] = numbers != group.absent
        rejected = Rejections()
        if len(self._scaled):
            self._scale(octets, value, there, rejected)
        if not self._plain:
            value = value * self._multiply / self._divide + self._offset
        there &= np.isfinite(value)
        return value, there, rejected

    def columns(self, message: Message) -> Columns:
        """The numbers that are there, each at the time of the message; raises `Unreadable`."""
        value, there, rejected = self.values(message.raw)
        names, rows = self._named(there)
        units = self.units
        if len(rows) < len(value):
            value, units = value[rows], [units[row] for row in rows.tolist()]
        return Columns(
            names,
            np.full(len(value), message.received_us, np.int64),
            value,
            rejected,
            place=lambda row: self._place(int(rows[row])),
            skipped=len(self.registers) - len(rows) - rejected.count,
            units=units,
        )

    def _named(self, there: NDArray[np.bool_]) -> tuple[Names, NDArray[np.int64]]:
        """The same names for the same numbers, so that their points are found once."""
        key = there.tobytes()
        known = self._by_mask.get(key)
        if known is None:
            rows = np.flatnonzero(there)
            known = (self.names if len(rows) == len(there) else self.names.only(rows), rows)
            if len(self._by_mask) >= _REMEMBERED_MASKS:
                self._by_mask.clear()
            self._by_mask[key] = known
        return known

    def _scale(
        self, octets: NDArray[np.uint8], value: NDArray[np.float64], there: NDArray[np.bool_], rejected: Rejections
    ) -> None:
        rows = self._scaled
        power = (octets[self._scales].astype(np.uint16) << 8 | octets[self._scales + 1]).view(np.int16).astype(np.int64)
        none = power == _NO_SCALE
        wrong = (np.abs(power) > _FURTHEST_POWER) & ~none & there[rows]
        there[rows[none | wrong]] = False
        for at in np.flatnonzero(wrong).tolist():
            rejected.add(self._place(int(rows[at])), f"scale factor is {power[at]}; expected -10 to 10")
        usable = np.where(none | (np.abs(power) > _FURTHEST_POWER), 0, power)
        factor = _POWERS[np.abs(usable)]
        value[rows] = np.where(usable < 0, value[rows] / factor, value[rows] * factor)

    def _place(self, row: int) -> str:
        register = self.registers[row]
        return f"unit {self.unit} {register.table} {register.at} ({register.name})"


def _starts(blocks: Sequence[Block]) -> tuple[list[tuple[Block, int]], int]:
    """Each block with the byte at which it begins, and how many bytes there are in all."""
    starts, length = [], 0
    for block in blocks:
        starts.append((block, length))
        length += 2 * block.words
    return starts, length


def _start(starts: Sequence[tuple[Block, int]], table: str, at: int, words: int = 1) -> int:
    """The byte at which so many registers from ``at`` begin; -1 where they were not asked for."""
    for block, start in starts:
        if block.holds(Span(table, at, words)):
            return start + 2 * (at - block.at)
    return -1


def _groups(
    registers: Sequence[NamedRegister], starts: Sequence[tuple[Block, int]]
) -> tuple[list[_Group], NDArray[np.int64]]:
    """Rows of one form together, and the bytes of all of them, least significant first."""
    groups: list[_Group] = []
    picks: list[int] = []
    for row, register in enumerate(registers):
        form, start = register.form.removesuffix("le"), _start(starts, register.table, register.at, register.words)
        order = _byte_order(register)
        picks += [start + at for at in order]
        dtype = np.dtype(form).newbyteorder("<")
        absent = None if register.full else _absent(form)
        last = groups[-1] if groups else None
        if last is not None and last.form == dtype and last.absent == absent:
            groups[-1] = last._replace(
                rows=slice(last.rows.start, row + 1), picked=slice(last.picked.start, len(picks))
            )
        else:
            groups.append(_Group(slice(row, row + 1), slice(len(picks) - len(order), len(picks)), dtype, absent))
    return groups, np.array(picks, np.int64)


def _byte_order(register: NamedRegister) -> list[int]:
    """Where the bytes of a number stand, least significant first.

    >>> one = NamedRegister(name="a", table="input", at=0, form="int32")
    >>> _byte_order(one), _byte_order(NamedRegister(name="a", table="input", at=0, form="int32le"))
    ([3, 2, 1, 0], [1, 0, 3, 2])
    """
    words = list(range(register.words))
    if not register.form.endswith("le"):
        words.reverse()
    return [2 * word + byte for word in words for byte in ((0, 1) if register.swapped else (1, 0))]


def _absent(form: str) -> int | None:
    """What says that there is no number, as SunSpec and many makers have it; floats say it by not being numbers."""
    if form.startswith("float"):
        return None
    bits = int(form.lstrip("uint"))
    return (1 << bits) - 1 if form.startswith("u") else -(1 << (bits - 1))
