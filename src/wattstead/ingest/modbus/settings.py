"""What a person sets for a Modbus source: one bus (an address, a gateway, a serial line) and the devices on it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from wattstead.ingest.sources.source_protocol import WHERE, only
from wattstead.registry.templates.register import Register

LINKS = ("tcp", "rtu-over-tcp", "serial")
_TCP, _SERIAL = only(link=("tcp", "rtu-over-tcp")), only(link="serial")


class NamedRegister(Register, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A register and the name of its readings."""

    name: Annotated[str, msgspec.Meta(title="Name", description="Below the device's prefix.", min_length=1)]
    unit: Annotated[str, msgspec.Meta(title="Unit", description="Such as W, kWh, V; empty: none.", max_length=20)] = ""


class Device(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One device on the bus."""

    unit_id: Annotated[
        int, msgspec.Meta(title="Unit id", description="Its number on the bus; 1 where it is alone.", ge=0, le=255)
    ] = 1
    template: Annotated[
        str,
        msgspec.Meta(
            title="Template",
            description="Name of a template with registers; of an own one they are written out when saved.",
            max_length=63,
        ),
    ] = ""
    prefix: Annotated[
        str,
        msgspec.Meta(
            title="Prefix",
            description="Begins the addresses of its points; empty: the template's, else modbus/ and the unit id.",
            max_length=150,
        ),
    ] = ""
    registers: Annotated[
        tuple[NamedRegister, ...],
        msgspec.Meta(title="Registers", description="Those of no template, or instead of them.", max_length=2_000),
    ] = ()
    every_s: Annotated[
        float, msgspec.Meta(title="Every, in seconds", description="0: as the bus.", ge=0, le=86_400)
    ] = 0.0
    longest_block: Annotated[
        int,
        msgspec.Meta(title="Longest block", description="Registers that one request may ask for.", ge=4, le=125),
    ] = 125
    longest_gap: Annotated[
        int,
        msgspec.Meta(
            title="Longest gap",
            description="Registers nobody wants that are read along to save a request.",
            ge=0,
            le=120,
        ),
    ] = 16


class ModbusSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One bus and its devices."""

    link: Annotated[
        Literal["tcp", "rtu-over-tcp", "serial"],
        msgspec.Meta(title="Connection", description="tcp: Modbus TCP; rtu-over-tcp: frames of the line."),
    ] = "tcp"
    host: Annotated[
        str,
        msgspec.Meta(
            title="Host", description="Name or address, for TCP.", max_length=253, extra_json_schema=WHERE | _TCP
        ),
    ] = ""
    port: Annotated[
        int, msgspec.Meta(title="Port", description="For TCP.", ge=1, le=65_535, extra_json_schema=_TCP)
    ] = 502
    serial: Annotated[
        str,
        msgspec.Meta(
            title="Serial line",
            description="Such as /dev/ttyUSB0.",
            pattern="^(/dev/.+)?$",
            max_length=200,
            extra_json_schema=_SERIAL,
        ),
    ] = ""
    baud: Annotated[
        int, msgspec.Meta(title="Baud", description="Of the line.", ge=300, le=4_000_000, extra_json_schema=_SERIAL)
    ] = 9_600
    parity: Annotated[
        Literal["none", "even", "odd"],
        msgspec.Meta(title="Parity", description="Of the line.", extra_json_schema=_SERIAL),
    ] = "none"
    stop_bits: Annotated[
        Literal[1, 2], msgspec.Meta(title="Stop bits", description="Of the line.", extra_json_schema=_SERIAL)
    ] = 1
    every_s: Annotated[
        float,
        msgspec.Meta(title="Every, in seconds", description="Asked at whole multiples of it.", ge=0.1, le=86_400),
    ] = 10.0
    timeout_s: Annotated[
        float, msgspec.Meta(title="Time-out, in seconds", description="For one answer.", ge=0.02, le=60)
    ] = 1.0
    retries: Annotated[
        int, msgspec.Meta(title="Retries", description="Of a request that no answer came to.", ge=0, le=10)
    ] = 1
    devices: Annotated[
        tuple[Device, ...], msgspec.Meta(title="Devices", description="Those on the bus.", max_length=250)
    ] = ()

    @property
    def where(self) -> str:
        """The bus, for people."""
        return self.serial if self.link == "serial" else f"{self.host}:{self.port}"
