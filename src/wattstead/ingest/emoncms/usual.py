"""Usual posts: what a sender's form or query says beside its values is the same each time, and is read once.

Only what leaves no doubt is read here: one ``json`` or ``fulljson``, no ``time``, plain names and numbers. Anything
else is for `post.decode`, which reads these too, to the same readings.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from wattstead.ingest.decoding.columns import Names
from wattstead.ingest.decoding.parameters import parameters, unescaped
from wattstead.ingest.decoding.remembered import Remembered, size_of
from wattstead.ingest.emoncms.values import NameMemory

_REMEMBERED_BYTES, _LONGEST = 24_000_000, 400
_FORMS = ("json", "fulljson")
_OTHERS = frozenset(("csv", "data", "time"))
_full = msgspec.json.Decoder(dict[str, float])
_PAIR = rb"([A-Za-z]\w*):(-?\d{1,15}(?:\.\d{1,15})?)"
_PAIRS = re.compile(rb"\{?" + _PAIR + rb"(?:," + _PAIR + rb")*\}?")
_EACH = re.compile(_PAIR)


class Sender(NamedTuple):
    """What a form says beside its values."""

    secret: str
    """Empty where it is in the head."""
    node: str
    is_full: bool


class UsualPosts:
    """Remembers senders by their forms without the values.

    >>> usual = UsualPosts(NameMemory())
    >>> form = b"node=emontx&fulljson=%7B%22power1%22%3A100%7D&apikey=ab"
    >>> usual.learn(form), usual.sender(form)[0].node
    (None, 'emontx')
    >>> usual.values(*usual.sender(form))
    {'power1': 100.0}
    """

    def __init__(self, memory: NameMemory) -> None:
        self._memory = memory
        self._senders: Remembered[bytes, Sender] = Remembered(_REMEMBERED_BYTES)

    def sender(self, form: bytes) -> tuple[Sender, bytes] | None:
        """Whose form it is, and its values as they were sent; None when it is not known."""
        at = form.find(b"json=") + 5
        end = form.find(b"&", at)
        if end < 0:
            end = len(form)
        sender = self._senders.get(form[:at] + form[end:])
        return None if sender is None else (sender, form[at:end])

    def learn(self, form: bytes) -> None:
        """Remember the sender of a form that was read the other way and kept, unless there is something unusual."""
        at = form.find(b"json=") + 5
        end = form.find(b"&", at)
        rest = form[:at] + (form[end:] if end >= 0 else b"")
        parts = [part.partition(b"=") for part in rest.split(b"&")]
        given = parameters(rest, {})
        told = [name for name in _FORMS if name in given]
        if at < 5 or len(rest) > _LONGEST or len(told) != 1 or given[told[0]] or not _OTHERS.isdisjoint(given):
            return
        if len({name for name, _, _ in parts}) < len(parts) or not all(name for name, _, _ in parts):
            return
        secret = (given.get("apikey") or given.get("devicekey") or "").lower()
        sender = Sender(secret, given.get("node", ""), told[0] == "fulljson")
        self._senders.keep(rest, sender, size_of((rest, sender.secret, sender.node)))

    def values(self, sender: Sender, text: bytes) -> dict[str, float] | None:
        """The values by their raw names; None where they are not plain."""
        text = unescaped(text)
        if sender.is_full:
            try:
                found = _full.decode(text)
            except msgspec.DecodeError:
                return None
            return None if "time" in found else found
        if _PAIRS.fullmatch(text) is None:
            return None
        return {name.decode(): float(value) for name, value in _EACH.findall(text)}

    def names(self, sender: Sender, raw: tuple[str, ...]) -> Names | None:
        """The addresses of values with these raw names; None when a name has none of its own."""
        return self._memory.names(sender.node, raw)
