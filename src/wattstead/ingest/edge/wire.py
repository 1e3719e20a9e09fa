"""What goes over the wire between an edge and its server: structs and their bytes; nothing is decided here."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from wattstead.ingest.decoding.unpack import inflated
from wattstead.ingest.errors import BodyInvalid
from wattstead.metering.batch import BatchError, ReadingBatch
from wattstead.registry.records import EdgeHealth, EdgePoint, EdgeSettings

JOIN, SYNC, BATCHES = "/api/v1/edge/join", "/api/v1/edge/sync", "/api/v1/edge/batches"
_LEVEL = 6


class Joining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A machine wants to be the edge for which the code was made."""

    code: str
    signing_key: str
    sealing_key: str


class Joined(msgspec.Struct, frozen=True):
    """It is; configurations are signed with this key from now on."""

    edge_id: int
    name: str
    site: str
    server_key: str


class Sync(msgspec.Struct, frozen=True):
    """How an edge is doing, and which configuration it has."""

    health: EdgeHealth
    tag: str
    """Of the document that it holds."""
    challenge: str = ""
    """Never the same twice: the server signs it with the document, so that no earlier answer passes for one to this."""


class Synced(msgspec.Struct, frozen=True):
    """A document when the edge has another one."""

    server_us: int
    tag: str
    document: bytes = b""
    """JSON of `Document`, in base64; empty: nothing has changed."""
    signature: str = ""


class EdgeSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source that the edge runs; its secrets are in the document's box."""

    id: int
    name: str
    protocol: str
    settings: dict[str, Any]
    past_days: float
    rate: float
    enabled: bool
    open: bool
    """Whether anything is taken from it at all: its site may be closed."""
    fault: str = ""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of one edge."""

    edge_id: int
    site_id: int
    number: int
    """Grows with each change that people make; the map of points changes without it."""
    settings: EdgeSettings
    sources: list[EdgeSource]
    box: str
    """Sealed JSON: source id → name → secret."""
    points: list[EdgePoint]


class Name(msgspec.Struct, frozen=True, array_like=True):
    """A point as the edge knows it."""

    source_id: int
    """The source that brought it; 0: one that is no more."""
    address: str
    unit: str
    """In which unit it sends; empty: in that of its point."""


class Upload(msgspec.Struct, frozen=True, array_like=True):
    """Readings in the order in which the edge received them; the column ``point`` counts in ``names``."""

    sequence: int
    names: list[Name]
    batch: bytes

    def readings(self) -> ReadingBatch:
        """Raises `BodyInvalid`."""
        try:
            found = ReadingBatch.decode(self.batch)
        except BatchError as error:
            raise BodyInvalid("batch", str(error)) from None
        if len(found) and int(found.point.max()) >= len(self.names):
            raise BodyInvalid("batch", f"speaks of name {int(found.point.max())}, there are {len(self.names)}")
        return found


class Refused(msgspec.Struct, frozen=True, array_like=True):
    """A reading of an upload that is not kept; the edge puts it in quarantine."""

    row: int
    reason: str


class Uploaded(msgspec.Struct, frozen=True):
    """The answer to an upload that is in the journal; or, with 409, to one that does not follow the last."""

    sequence: int
    """Of the last upload in the journal."""
    server_us: int
    repeated: bool = False
    """It was there already, and nothing has been done; what was said then is said again."""
    accepted: int = 0
    refused: list[Refused] = []


def packed(upload: Upload) -> bytes:
    """An upload as its body."""
    return zlib.compress(msgspec.msgpack.encode(upload), _LEVEL)


def unpacked(body: bytes, most_bytes: int) -> Upload:
    """An upload from its body; raises `BodyInvalid`, `BodyTooLarge`.

    >>> unpacked(packed(Upload(3, [Name(1, "power", "W")], b"")), 1000).names[0].address
    'power'
    """
    try:
        return msgspec.msgpack.decode(inflated(body, "deflate", most_bytes), type=Upload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BodyInvalid("upload", str(error)) from None
