"""Table: one series of an answer in Influx's JSON; knows neither question nor point."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

_SPECIAL = re.compile(r"[,= ]")


class Table(msgspec.Struct, omit_defaults=True):
    """Rows of values under columns; ``tags`` where the question groups by tags."""

    name: str = ""
    tags: dict[str, str] = {}
    columns: list[str] = []
    values: list[list[Any]] = []
    partial: bool = False


class Result(msgspec.Struct, omit_defaults=True):
    """The answer to one statement."""

    statement_id: int
    series: list[Table] | msgspec.UnsetType = msgspec.UNSET
    error: str = ""

    def __post_init__(self) -> None:
        if not self.series:
            self.series = msgspec.UNSET


def encoded(results: Sequence[Result], pretty: bool) -> bytes:
    """The whole answer; ``statement_id`` is always told."""
    body = msgspec.json.encode({"results": results})
    return (msgspec.json.format(body, indent=4) if pretty else body) + b"\n"


def line_of(measurement: str, tags: Mapping[str, str]) -> str:
    r"""A series as line protocol writes it.

    >>> line_of("my meter", {"id": "7"})
    'my\\ meter,id=7'
    """
    return ",".join([_escaped(measurement), *(f"{_escaped(k)}={_escaped(v)}" for k, v in sorted(tags.items()))])


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
