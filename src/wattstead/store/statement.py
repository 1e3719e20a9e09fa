"""Tells one kind of statement from another, as far as lanes, formats and the insert route need; no parser of SQL.

What it cannot tell is refused or left to the engine, which parses everything again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from wattstead.store import allowed
from wattstead.store.errors import SYNTAX_ERROR, Refused, not_served


class LaneName(StrEnum):
    """The lanes, each with its own connections and its own bounded queue."""

    READ = "read"
    SLOW = "slow"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Read:
    """A question with an answer in ``form``; ``body`` is the statement without its FORMAT clause."""

    body: bytes
    form: str
    settings: dict[str, str]
    lane: LaneName = LaneName.READ

    def sql(self) -> bytes:
        """The statement to run; on its own line, so that a comment at the end of ``body`` swallows nothing."""
        return self.body + b"\nFORMAT " + self.form.encode() + _settings(self.settings)


@dataclass(frozen=True, slots=True)
class Command:
    """A statement that changes something and answers with little or nothing."""

    body: bytes
    settings: dict[str, str]
    lane: LaneName = LaneName.WRITE
    ends: bytes = b"\nFORMAT TabSeparated"
    """What has to stand before our SETTINGS, so that they are not taken for those of a table."""

    def sql(self) -> bytes:
        """The statement to run."""
        return self.body + (self.ends + _settings(self.settings) if self.settings else b"")


@dataclass(frozen=True, slots=True)
class InsertSelect:
    """INSERT … SELECT: the engine computes what it stores."""

    table: bytes
    columns: bytes
    select: bytes
    settings: dict[str, str]
    lane: LaneName = LaneName.WRITE

    def sql(self) -> bytes:
        """The statement to run."""
        return b"INSERT INTO " + self.table + b" " + self.columns + _settings(self.settings) + b"\n" + self.select


@dataclass(frozen=True, slots=True)
class InsertBlock:
    """INSERT … FORMAT or VALUES: the caller's rows, in ``form``."""

    table: bytes
    columns: bytes
    form: str
    block: memoryview = field(repr=False)
    settings: dict[str, str]
    lane: LaneName = LaneName.WRITE


Statement = Read | Command | InsertSelect | InsertBlock

_GAP = rb"(?:\s|--[^\n]*(?:\n|\Z)|#[ !][^\n]*(?:\n|\Z)|/\*.*?\*/)*"
_PART = rb"(?:`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"|[A-Za-z_][A-Za-z0-9_]*)"
_NAME = _PART + rb"(?:\." + _PART + rb")*"
_PAIRS = rb"(?:[a-z0-9_]+\s*=\s*(?:'(?:[^'\\]|\\.)*'|[\w.+-]+)\s*,?\s*)+"
_FLAGS = re.IGNORECASE | re.DOTALL
_VERB = re.compile(_GAP + rb"(?:\(\s*)*([A-Za-z]+)\b", _FLAGS)
_TAIL = re.compile(rb"\sFORMAT\s+(\w+)(?:\s+SETTINGS\s+(" + _PAIRS + rb"))?\s*\Z", _FLAGS)
_TAIL_SETTINGS = re.compile(rb"\sSETTINGS\s+(" + _PAIRS + rb")\s*\Z", _FLAGS)
_PAIR = re.compile(rb"([a-z0-9_]+)\s*=\s*('(?:[^'\\]|\\.)*'|[\w.+-]+)", _FLAGS)
_INSERT = re.compile(
    _GAP + rb"INSERT\s+INTO\s+(?:TABLE\s+(?!FUNCTION\b))?(?P<table>" + _NAME + rb")\s*"
    rb"(?P<columns>\(\s*" + _NAME + rb"(?:\s*,\s*" + _NAME + rb")*\s*\))?\s*"
    rb"(?:SETTINGS\s+(?P<settings>" + _PAIRS + rb"))?"
    rb"(?:FORMAT\s+(?P<form>\w+)\b[ \t\f]*\r?\n?|(?P<values>VALUES\b)|(?P<select>(?:\(\s*)?(?:SELECT|WITH)\b))",
    _FLAGS,
)
_OUTFILE = re.compile(rb"\bINTO\s+OUTFILE\b", _FLAGS)
_HEAD_BYTES, _TAIL_BYTES = 64 << 10, 4 << 10

_READS = {b"SELECT", b"WITH", b"SHOW", b"DESCRIBE", b"DESC", b"EXPLAIN", b"EXISTS", b"CHECK"}
_WRITES = {
    *(b"CREATE", b"ALTER", b"DROP", b"TRUNCATE", b"OPTIMIZE", b"RENAME", b"EXCHANGE"),
    *(b"DELETE", b"UPDATE", b"UNDROP", b"REPLACE", b"RESTORE"),
}
_OWN_SETTINGS = {b"KILL", b"BACKUP", b"RESTORE", b"SYSTEM", b"RENAME", b"EXCHANGE"}
"""Statements after which no SETTINGS clause of ours can stand."""
_TABLE_SETTINGS = {b"CREATE", b"REPLACE"}
"""Statements whose SETTINGS belong to the table they make, not to the statement."""
_KEPT_OUT = re.compile(
    _GAP + rb"(?:CREATE|ALTER|DROP|REPLACE)\s+(?:OR\s+REPLACE\s+)?"
    rb"(USER|ROLE|QUOTA|ROW|POLICY|SETTINGS|PROFILE|NAMED|TEMPORARY|FUNCTION|WORKLOAD|RESOURCE|MASKING)\b",
    _FLAGS,
)
_SYSTEM = re.compile(
    _GAP + rb"SYSTEM\s+(?:RELOAD\s+DICTIONAR(?:Y|IES)|(?:DROP|CLEAR)\s+[A-Z ]*CACHE"
    rb"|(?:START|STOP)\s+(?:TTL\s+)?MERGES)\b",
    _FLAGS,
)


def read_statement(text: bytes, given: dict[str, str], default_form: str = "TabSeparated") -> Statement:
    """What the text asks for, with the settings ``given`` beside it. Raises `Refused` for what is not served.

    >>> read_statement(b"SELECT 1 FORMAT JSON", {}).form
    'JSON'
    """
    found = _VERB.match(text, 0, _HEAD_BYTES)
    if found is None:
        raise Refused(
            400, SYNTAX_ERROR, f"the statement begins with {text[:40]!r}; expected was a word like SELECT or INSERT"
        )
    verb = found[1].upper()
    if verb == b"INSERT":
        return _insert(text, given)
    text = text.rstrip(b"; \t\r\n")
    if verb in _READS:
        return _read(text, given, default_form)
    if verb == b"KILL":
        return Command(text, {}, LaneName.ADMIN)
    if verb == b"BACKUP":
        return Command(text, {}, LaneName.SLOW)
    if verb in _WRITES or (verb == b"SYSTEM" and _SYSTEM.match(text)):
        if _KEPT_OUT.match(text):
            raise not_served(f"the statement {text[:60].decode(errors='replace')!r}")
        return _command(verb, text, given)
    raise not_served(f"the statement {text[:60].decode(errors='replace')!r}")


def _read(text: bytes, given: dict[str, str], default_form: str) -> Read:
    if b"OUTFILE" in text.upper() and _OUTFILE.search(text):
        raise not_served("INTO OUTFILE")
    settings = given
    tail = _TAIL.search(text, max(0, len(text) - _TAIL_BYTES))
    if tail is None:
        return Read(text, allowed.output_format(default_form), settings)
    if tail[2]:
        settings = {**given, **_pairs(tail[2])}
    return Read(text[: tail.start()], allowed.output_format(tail[1].decode()), settings)


def _command(verb: bytes, text: bytes, given: dict[str, str]) -> Command:
    if verb in _OWN_SETTINGS:
        return Command(text, {})
    ends = b"" if verb in {b"DELETE", b"UPDATE"} else b"\nFORMAT TabSeparated"
    tail = None if verb in _TABLE_SETTINGS else _TAIL_SETTINGS.search(text, max(0, len(text) - _TAIL_BYTES))
    if tail is None:
        return Command(text, given, ends=ends)
    return Command(text[: tail.start()], {**given, **_pairs(tail[1])}, ends=ends)


def _insert(text: bytes, given: dict[str, str]) -> InsertBlock | InsertSelect:
    head = _INSERT.match(text, 0, _HEAD_BYTES)
    if head is None:
        shown = text[:60].decode(errors="replace")
        raise not_served(f"{shown!r} (served: a table, columns in brackets, then FORMAT with a name, VALUES or SELECT)")
    settings = {**given, **_pairs(head["settings"] or b"")}
    columns = head["columns"] or b""
    if head["select"]:
        select = text[head.start("select") :].rstrip(b"; \t\r\n")
        return InsertSelect(head["table"], columns, select, settings)
    form = "Values" if head["values"] else head["form"].decode()
    return InsertBlock(head["table"], columns, allowed.input_format(form), memoryview(text)[head.end() :], settings)


def _pairs(text: bytes) -> dict[str, str]:
    pairs = {}
    for name, value in _PAIR.findall(text):
        plain = re.sub(rb"\\(.)", rb"\1", value[1:-1]) if value[:1] == b"'" else value
        key, kept = allowed.setting(name.decode().lower(), plain.decode())
        pairs[key] = kept
    return pairs


def _settings(settings: dict[str, str]) -> bytes:
    return b"\nSETTINGS " + allowed.clause(settings) if settings else b""
