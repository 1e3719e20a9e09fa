"""The account of an import: what became of each row so far, kept beside its source until the import is complete."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import typer

from wattstead.metering.errors import Issue, WattsteadError
from wattstead.metering.wording import counted

_REASONS = 1_000


class ImportDiffers(WattsteadError):
    """What is imported has changed since its import was interrupted."""


class Account(msgspec.Struct):
    """What became of the rows of one source so far."""

    size: int
    """Bytes of the file; 0 of what is no file."""
    rows: int = 0
    """Rows that are done."""
    accepted: int = 0
    repeated: int = 0
    corrected: int = 0
    empty: int = 0
    rejected: int = 0
    first_rejected: list[Issue] = []
    after: list[int] = []
    """Of a table: the key of the last row that is done."""

    def reject(self, issues: list[Issue]) -> None:
        """Book rows that cannot be kept."""
        self.rejected += len(issues)
        self.first_rejected += issues[: max(0, _REASONS - len(self.first_rejected))]

    def save(self, notes: Path) -> None:
        """Write it down; what was there stays until the new one is whole."""
        fresh = notes.with_name(notes.name + ".new")
        fresh.write_bytes(msgspec.json.encode(self))
        fresh.replace(notes)

    def report(self, name: str, asked: bool) -> None:
        """Say what became of everything; ``asked``: the server was asked what it has already."""
        typer.echo(f"{name}: {counted(self.rows, 'row')}")
        typer.echo(f"  accepted   {self.accepted}")
        typer.echo(
            f"  repeated   {self.repeated}" + ("" if asked else "  (within the file; no read key to ask the server)")
        )
        typer.echo(f"  corrected  {self.corrected}")
        typer.echo(f"  rejected   {self.rejected}")
        if self.empty:
            typer.echo(f"  empty      {self.empty} cells")
        for issue in self.first_rejected[:20]:
            typer.echo(f"    {issue.place}: {issue.reason}")
        more = Counter(issue.reason for issue in self.first_rejected[20:])
        for reason, times in more.most_common(20):
            typer.echo(f"    {times} more: {reason}")


def opened(notes: Path, name: str, size: int) -> Account:
    """The account to go on with, or a new one; raises `ImportDiffers` when the source has another size now."""
    if not notes.exists():
        return Account(size)
    try:
        found = msgspec.json.decode(notes.read_bytes(), type=Account)
    except msgspec.DecodeError as error:
        raise ImportDiffers(f"{notes.name} cannot be read: {error}; delete it to begin again") from None
    if found.size != size:
        raise ImportDiffers(
            f"{name} had {found.size} bytes when its import was interrupted and has {size} now; "
            f"delete {notes.name} to begin again"
        )
    return found
