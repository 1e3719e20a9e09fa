"""Tables of measurements and their places in docs/benchmarks.md; text outside of the marked places is left as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Table:
    """What one benchmark found; ``name`` marks its place in the page."""

    name: str
    title: str
    columns: list[str]
    command: str
    machine: str
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """The table with title, notes, command and machine."""
        lines = [f"### {self.title}", "", "| " + " | ".join(self.columns) + " |"]
        lines.append("|" + "|".join("---" if at == 0 else "---:" for at in range(len(self.columns))) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        lines += ["", *self.notes, "", f"`{self.command}`; {self.machine}."]
        return "\n".join(lines)


def put(page: Path, table: Table) -> None:
    """Write a table to its place in a page, or behind everything else when it has none yet."""
    begin, end = f"<!-- bench:{table.name} -->", f"<!-- /bench:{table.name} -->"
    text = page.read_text() if page.exists() else "# Benchmarks\n"
    block = f"{begin}\n{table.markdown()}\n{end}"
    if begin in text and end in text:
        head, rest = text.split(begin, 1)
        text = head + block + rest.split(end, 1)[1]
    else:
        text = f"{text.rstrip()}\n\n{block}\n"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text)


def figure(number: float, digits: int = 2) -> str:
    """A number for a cell.

    >>> figure(0.1234), figure(1234.5)
    ('0.12', '1,234')
    """
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.{digits}f}"
