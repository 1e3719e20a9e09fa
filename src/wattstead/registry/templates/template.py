"""Template: what a model of device measures and how it reports, as declared in one YAML file; it reads no file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, NamedTuple

import msgspec

from wattstead.metering.point import default_resolution, usual_gap_s
from wattstead.metering.quantity import Direction, Kind, Quantity, Role, UnitError
from wattstead.registry import names
from wattstead.registry.errors import PointInvalid
from wattstead.registry.points.physics import check, physics
from wattstead.registry.records import PointDeclaration
from wattstead.registry.templates.register import Register

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=names.LONGEST_NAME)]
Short = Annotated[str, msgspec.Meta(max_length=names.LONGEST_NAME)]
Positive = Annotated[float, msgspec.Meta(gt=0, le=1e18)]
NotNegative = Annotated[float, msgspec.Meta(ge=0, le=1e18)]
_MOST_POINTS = 500
LARGEST = 200_000
"""Bytes of a template's text."""


class TemplatePoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One series that the device gives."""

    name: Text
    address: Text
    """What the device calls it, below the device's own prefix."""
    kind: Kind = Kind.GAUGE
    quantity: Quantity = Quantity.UNKNOWN
    direction: Direction = Direction.NONE
    unit: Annotated[str, msgspec.Meta(max_length=20)] = ""
    role: Role = Role.NONE
    scale: NotNegative = 0.0
    """What the last digit of the device is worth in ``unit``; 0: the default of the unit."""
    width: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 0
    """After how many of ``scale`` the register starts again at zero: a power of ten or of two; 0: never."""
    max_rate: NotNegative = 0.0
    """Largest believable amount an hour, in ``unit``; 0: not known."""
    max_gap_s: Positive | None = None
    """None: as is usual for its kind."""
    pulses_per_kwh: NotNegative = 0.0
    """Of a point in pulses: how many are a kWh; 0: not said."""
    register: Register | None = None
    field: Short = ""
    """Its name in the device's message, where that is not the address: an OBIS code, a label, a path in JSON."""
    tags: dict[Text, Text] = {}

    def declaration(self, prefix: str, device_id: int | None = None) -> PointDeclaration:
        """The point of one device; ``max_rate`` there counts resolutions a second."""
        step = self.scale or (default_resolution(self.unit) if self.max_rate else 1.0)
        return PointDeclaration(
            address=prefix + self.address,
            name=self.name,
            kind=self.kind,
            quantity=self.quantity,
            direction=self.direction,
            unit=self.unit,
            role=self.role,
            resolution=self.scale,
            width=self.width,
            max_rate=self.max_rate / 3600 / step,
            max_gap_s=usual_gap_s(self.kind) if self.max_gap_s is None else self.max_gap_s,
            pulses_per_kwh=self.pulses_per_kwh,
            device_id=device_id,
            tags=self.tags,
        )


class ProcessStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be made of a point's readings; kept and shown, worked through once there are process lists."""

    point: Text
    step: Name
    settings: dict[Text, float | str] = {}


class Reporting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a device reports over one kind of connection, and what."""

    interval_s: Positive
    points: list[Text] = []
    """Addresses; none named: all."""


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a new device has unless told otherwise."""

    name: Short = ""
    """Empty: the title."""
    prefix: Short = ""
    """What the addresses of its points begin with; empty: the template's name and a slash."""
    connection: Short = ""
    """One of the kinds of connection below ``reporting``."""
    firmware: Short = ""
    mobile_budget_bytes: Annotated[int, msgspec.Meta(ge=0, le=10**15)] | None = None


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model of device in one revision; a later revision is rolled over the devices made from an earlier one."""

    name: Name
    revision: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    title: Text
    maker: Short = ""
    note: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    speaks: Name
    """The protocol: ``modbus``, ``dsmr``, ``tic``, ``mbus``, ``emoncms``, ``mqtt``, ``http``, ``pulse``."""
    hardware: list[Text] = []
    """Hardware revisions it is for; none named: all."""
    points: Annotated[list[TemplatePoint], msgspec.Meta(min_length=1, max_length=_MOST_POINTS)]
    process: list[ProcessStep] = []
    reporting: dict[Name, Reporting] = {}
    defaults: Defaults = Defaults()

    @property
    def prefix(self) -> str:
        """What the addresses of a device begin with that has not been told another prefix."""
        return self.defaults.prefix or f"{self.name}/"

    def reporting_of(self, connection: str) -> Reporting | None:
        """How a device reports over that kind of connection; None where the template does not say."""
        return self.reporting.get(connection or self.defaults.connection)


class Fault(NamedTuple):
    """What is wrong in a template, and the way to it: keys and positions from the top."""

    path: tuple[str | int, ...]
    reason: str


def faults(template: Template) -> Iterator[Fault]:
    """What does not go together in a template whose parts are each of the right form."""
    addresses: set[str] = set()
    for at, point in enumerate(template.points):
        yield from (Fault(("points", at, *fault.path), fault.reason) for fault in _point_faults(template, point))
        if point.address in addresses:
            yield Fault(("points", at, "address"), f"{point.address!r} is there twice")
        addresses.add(point.address)
    for at, step in enumerate(template.process):
        if step.point not in addresses:
            yield Fault(("process", at, "point"), f"{step.point!r} is no address of a point")
    for connection, reporting in template.reporting.items():
        for at, address in enumerate(reporting.points):
            if address not in addresses:
                yield Fault(("reporting", connection, "points", at), f"{address!r} is no address of a point")
    if template.defaults.connection and template.defaults.connection not in template.reporting:
        yield Fault(("defaults", "connection"), f"{template.defaults.connection!r} is not below reporting")


def _point_faults(template: Template, point: TemplatePoint) -> Iterator[Fault]:
    wrong = names.address_fault(template.prefix + point.address)
    if wrong:
        yield Fault(("address",), wrong.reason)
    name_fault = names.fault(point.name)
    if name_fault:
        yield Fault(("name",), name_fault)
    try:
        check(physics(point.declaration(template.prefix)))
    except UnitError as error:
        yield Fault(("unit",), str(error))
    except PointInvalid as error:
        yield Fault((), str(error))
