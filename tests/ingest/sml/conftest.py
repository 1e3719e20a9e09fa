"""A device on a serial port."""

from __future__ import annotations

from tests.ingest.wires import port, running, way

__all__ = ["port", "running", "way"]
