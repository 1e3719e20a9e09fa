"""SourceProtocol: a way in that we open ourselves (a broker, a bus, a port): who decodes, who runs, who looks around.

Rows of a table, pure functions and one small runner each; keeping, waiting, counting and starting again are `Way`'s and
its supervisor's, so no protocol does them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol

import msgspec

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.errors import IngestError

if TYPE_CHECKING:
    from wattstead.registry.templates.template import Template

Secret = Annotated[str, msgspec.Meta(extra_json_schema={"secret": True})]
"""A setting that is stored sealed and never shown again: a password, a private key."""
WHERE: dict[str, Any] = {"where": True}
"""``msgspec.Meta(extra_json_schema=WHERE)`` marks a setting that says which addresses are reached and to whom secrets
go: a host, an address with ``://``, whether a certificate is checked. When one changes, secrets are asked for again, so
that nobody can have them sent elsewhere; without such a mark any setting counts as one."""


def only(**values: object) -> dict[str, Any]:
    """``extra_json_schema`` of a setting that means something only where others have certain values: else no form
    shows it.

    >>> only(link=("tcp", "rtu-over-tcp"), tls=True)
    {'only': {'link': ['tcp', 'rtu-over-tcp'], 'tls': [True]}}
    """
    return {"only": {name: list(one) if isinstance(one, tuple) else [one] for name, one in values.items()}}


class Message(NamedTuple):
    """What came, as it came; all that `decode` needs to read it again later, when a fault in the mapping is mended."""

    raw: bytes
    where: str
    """Where it came on, in the protocol's words: a topic, a queue, ``unit 1 input 0+24``."""
    received_us: int
    """When it came, by this machine's clock, microseconds since 1970."""
    retained: bool = False
    """Whether it was said before, at a time that nobody knows: what has no time of its own there is no reading."""
    sender: int = 0
    """The key that it was sent with; 0: the source's own."""


class Unreadable(IngestError):
    """A message of which nothing can be read; it waits among the dead letters with this reason."""


class SourceFailed(IngestError):
    """The other side cannot be reached, refuses us or has gone; the source is started again after a while."""

    retryable = True

    def __init__(self, reason: str, hopeless: bool = False, retry_after_s: float = 0.0) -> None:
        """``hopeless``: trying again changes nothing until a person has changed the settings (a wrong password).

        ``retry_after_s``: not to be tried again before, as the other side asks.
        """
        self.hopeless, self.retry_after_s = hopeless, retry_after_s
        super().__init__(reason)


class Way(Protocol):
    """What a runner holds of the house. All of it is to be called in the event loop.

    Readings that come to nothing (a time too far off, a refused name) become dead letters by themselves, with the
    message they came in.
    """

    @property
    def source_id(self) -> int:
        """Which source this is, so that what a runner keeps for itself is not another's."""
        ...

    @property
    def identity(self) -> str:
        """What tells this source from all others anywhere; its settings do not change it."""
        ...

    def present_us(self) -> int:
        """The present by this machine's clock, microseconds since 1970."""
        ...

    async def keep(self, columns: Columns | Few, message: Message) -> None:
        """Returns when the readings are on disk in the journal; only then may the message be acknowledged.

        Waits, and does not give up, while the journal is full, the registry away, or this source too fast.
        """
        ...

    async def keep_all(self, parts: Sequence[tuple[Columns | Few, Message]]) -> list[tuple[Message, str]]:
        """`keep` for many messages in their order, at a fraction of the cost; those of which something came to nothing.

        They are dead letters already; a protocol that has a place for such at the other side may tell it there too.
        """
        ...

    async def keep_usual(self, columns: Columns, messages: int) -> bool:
        """Returns True when the readings of so many messages are on disk, False when none of them is: then `keep_all`.

        That is so where a name is new, a time far off, or the journal does not take them; nothing is refused here.
        """
        ...

    def refuse(self, message: Message, reason: str) -> None:
        """Nothing of this message can be kept: it becomes a dead letter."""
        ...

    def connected(self, to: str) -> None:
        """The other side answers; ``to`` says who, for people."""
        ...

    def slowing(self, told: str) -> None:
        """Who of those behind this connection is slowed while the others are not, for people; empty: nobody."""
        ...

    def lagging(self, seconds: float) -> None:
        """How far behind the other side this source is, where the protocol tells."""
        ...


class Alone(NamedTuple):
    """Something at the other side that a source must have for itself, or each would take away what the other needs."""

    setting: str
    """Which says what it is."""
    value: str
    where: str
    """At which other side, and which part of it, for people."""


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that looking around at the other side has found: a device, a register, a node, a topic."""

    where: str
    """By which it is named in the settings."""
    name: str = ""
    value: str = ""
    """What it says now, for people; empty where it says nothing."""
    unit: str = ""
    settings: Mapping[str, Any] = {}
    """What to add to the settings to have it."""
    fault: str = ""
    """Why it could not be read."""


@dataclass(frozen=True, slots=True)
class SourceProtocol:
    """A row of the table of sources."""

    name: str
    page: str
    """Where it is documented, below the project's folder."""
    title: str
    """What people call it, in English; a proper name such as ``MQTT`` or ``Modbus TCP``."""
    settings: type[msgspec.Struct]
    """What a person sets: ``frozen=True, kw_only=True, forbid_unknown_fields=True``, each field with a `msgspec.Meta`
    of title, description and bounds, from which the page makes its form; secrets are of type `Secret`."""
    decode: Callable[[Message, Any], Columns | Few]
    """Pure: what a message says under these settings. Raises `Unreadable`; what is wrong with single readings is named
    in the columns' ``rejected``."""
    run: Callable[[Any, Way], Awaitable[None]]
    """Connects with these settings, receives and hands on until it is cancelled; raises `SourceFailed`. It connects
    once: waiting and trying again is its caller's."""
    look: Callable[[Any, Mapping[str, Any]], Awaitable[Sequence[Found]]] | None = None
    """Looks around with these settings before they are saved: scans, reads, browses; what for is in the mapping.
    Raises `SourceFailed`, `wattstead.ingest.errors.ParameterInvalid`."""
    ahead_days: float = 0.0
    """How far ahead of the present its readings may lie, where it knows of the future: forecasts, prices. Such readings
    say their quality themselves."""
    complete: Callable[[Any], Any] | None = None
    """The settings with everything written out that only a server can look up (a template's registers), so that an edge
    runs them as they are. Raises `wattstead.ingest.errors.ParameterInvalid`."""
    check: Callable[[Any], object] | None = None
    """What the settings must fulfil together, beyond the form of each; asked before they are saved, opens nothing.
    Raises `wattstead.ingest.errors.ParameterInvalid`."""
    alone: Callable[[Any, int], Alone | None] | None = None
    """What the source of that id, with these settings, must have for itself; two with the same are not saved."""
    spelt_out: Callable[[dict[str, Any], Callable[[str], Template | None]], dict[str, Any]] | None = None
    """Settings as a person gives them with own templates that are named there written out, as these are at that time;
    they are looked up among those that the person sees."""
    entrance: bool = False
    """A door of this server where many sign in, no connection that it opens: the server makes a site's row by itself,
    and slows those that come there one by one."""
    extra: str = ""
    """The extra of the package that an edge must have installed for it; empty: every edge has what it needs."""
