"""Identity: who this edge is: its keys, its server and the server's key; made by joining, and never sent anywhere."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from wattstead.edge.files import got, put
from wattstead.metering.errors import WattsteadError

_FILE = "identity.json"


class NotJoined(WattsteadError):
    """A folder in which no edge has joined a server."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} belongs to no edge yet: make one on the page of the site, then `wattstead edge join URL CODE`"
        )


class AlreadyJoined(WattsteadError):
    """A folder that is an edge already: its readings would go to another place."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} has joined a server already; name another folder, or remove it with its readings")


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Everything by which an edge is known and knows its server; the file is its owner's alone."""

    url: str
    edge_id: int
    name: str
    site: str
    server_key: str
    signing_key: bytes
    sealing_key: bytes
    authority: str = ""
    """Certificate (PEM) of the authority that vouches for the server; empty: those that this machine trusts."""

    def __repr__(self) -> str:
        """Without the keys."""
        return f"Identity({self.edge_id} at {self.url})"

    @classmethod
    def load(cls, folder: Path) -> Identity:
        """Of a folder; raises `NotJoined`."""
        text = got(folder / _FILE)
        if text is None:
            raise NotJoined(folder)
        return msgspec.json.decode(text, type=cls)

    def save(self, folder: Path) -> None:
        """Into a folder that is no edge's yet; raises `AlreadyJoined`."""
        refuse_joined(folder)
        put(folder / _FILE, msgspec.json.encode(self))


def refuse_joined(folder: Path) -> None:
    """Raise `AlreadyJoined` where a folder is an edge's."""
    if (folder / _FILE).exists():
        raise AlreadyJoined(folder)


def fresh_key() -> bytes:
    """A private key."""
    return os.urandom(32)
