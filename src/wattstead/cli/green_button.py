"""``wattstead import FILE.xml``: a Green Button file into a running server, which reads it by itself."""

from __future__ import annotations

from pathlib import Path

import typer

from wattstead.cli.client import connect
from wattstead.metering.wording import counted


def run(file: Path, folder: Path, url: str, key: str, prefix: str) -> int:
    """Import one file; exit code 0 when every reading was accepted, 2 when some were not."""
    client = connect(folder, url, key, "")
    try:
        accepted, rejected, issues = client.post_green_button(file.read_bytes(), prefix)
    finally:
        client.close()
    typer.echo(
        f"{file.name}: {counted(accepted + rejected, 'reading')}\n  accepted   {accepted}\n  rejected   {rejected}"
    )
    for issue in issues[:20]:
        typer.echo(f"    {issue.place}: {issue.reason}")
    return 2 if rejected else 0
