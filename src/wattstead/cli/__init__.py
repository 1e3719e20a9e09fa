"""The command line: one verb a file; each verb loads what it needs when it is called, so that help answers at once."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from wattstead import __version__
from wattstead.metering.errors import WattsteadError

app = typer.Typer(
    name="wattstead",
    help="Energy monitoring and energy management: from meter to exact energy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Folder = Annotated[Path, typer.Option("--data", envvar="WATTSTEAD_FOLDER", help="Folder that holds everything.")]
Port = Annotated[int, typer.Option("--port", envvar="WATTSTEAD_PORT", min=0, max=65535, help="Port; 0 picks one.")]
Host = Annotated[str, typer.Option("--host", envvar="WATTSTEAD_HOST", help="Address to listen on.")]
BasePath = Annotated[str, typer.Option("--base-path", envvar="WATTSTEAD_BASE_PATH", help="Prefix behind a proxy.")]
Address = Annotated[str, typer.Option("--url", envvar="WATTSTEAD_URL", help="Server; default: the demo's.")]
Key = Annotated[str, typer.Option("--key", envvar="WATTSTEAD_KEY", help="Key; default: the demo's.")]


def _verb(name: str, **arguments: object) -> None:
    """Run the verb's own module."""
    code = import_module(f"wattstead.cli.{name}").run(**arguments)
    if code:
        raise typer.Exit(code)


@app.command()
def demo(folder: Folder = Path("data"), port: Port = 8086, host: Host = "127.0.0.1", base_path: BasePath = "") -> None:
    """Start the product with two homes made of real recordings."""
    _verb("demo", folder=folder, port=port, host=host, base_path=base_path)


@app.command()
def serve(folder: Folder = Path("data"), port: Port = 8086, host: Host = "127.0.0.1", base_path: BasePath = "") -> None:
    """Start the product."""
    _verb("serve", folder=folder, port=port, host=host, base_path=base_path)


@app.command()
def version() -> None:
    """Say which version this is."""
    typer.echo(__version__)


def main() -> None:
    """Entry point: errors of ours become one line and exit code 1."""
    try:
        app()
    except WattsteadError as error:
        typer.echo(f"wattstead: {error}", err=True)
        sys.exit(1)
