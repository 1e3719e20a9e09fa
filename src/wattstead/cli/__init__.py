"""The command line: one verb a file; each verb loads what it needs when it is called, so that help answers at once."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import typer.core

from wattstead import __version__
from wattstead.metering.errors import WattsteadError

app = typer.Typer(
    name="wattstead",
    help="Energy monitoring and energy management: from meter to exact energy.",
    epilog="A machine on site has the verb edge: see wattstead edge --help.",
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
WriteKey = Annotated[str, typer.Option("--key", envvar="WATTSTEAD_KEY", help="Write key; default: the demo's.")]
ReadKey = Annotated[str, typer.Option("--read-key", envvar="WATTSTEAD_READ_KEY", help="Read key; default: the demo's.")]
Tls = Annotated[
    Literal["off", "auto", "file", "acme"] | None,
    typer.Option("--tls", help="Default: off on this machine alone or behind a proxy, else auto.", show_default=False),
]
Bus = Annotated[str, typer.Argument(help="HOST, HOST:PORT or a serial line such as /dev/ttyUSB0.")]
Unit = Annotated[int, typer.Option(min=0, max=255, help="Unit id of the device.")]
Rtu = Annotated[bool, typer.Option("--rtu", help="Frames of the serial line over TCP, through a simple converter.")]
Baud = Annotated[int, typer.Option(help="Of the serial line.")]
Parity = Annotated[Literal["none", "even", "odd"], typer.Option(help="Of the serial line.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for one answer.")]
Zone = Annotated[str, typer.Option("--zone", help="Time zone of local times.")]


def _verb(name: str, **arguments: object) -> None:
    """Run the verb's own module, named from here."""
    gc.disable()  # what is loaded stays: to look through it again and again would be a tenth of the start
    module = import_module(f"wattstead.cli.{name}")
    gc.freeze()
    gc.enable()
    code = module.run(**arguments)
    if code:
        raise typer.Exit(code)


@app.command()
def demo(folder: Folder = Path("data"), port: Port = 8086, host: Host = "127.0.0.1", base_path: BasePath = "") -> None:
    """Start the product with two homes made of real recordings."""
    _verb("demonstration.demo", folder=folder, port=port, host=host, base_path=base_path)


@app.command()
def serve(
    folder: Folder = Path("data"),
    port: Port = 8086,
    host: Host = "127.0.0.1",
    base_path: BasePath = "",
    trust_forwarded: Annotated[
        bool | None,
        typer.Option(
            "--trust-forwarded/--no-trust-forwarded",
            envvar="WATTSTEAD_TRUST_FORWARDED",
            help="Believe X-Forwarded-For, -Proto and -Prefix: only behind a proxy that sets or removes them.",
            show_default=False,
        ),
    ] = None,
    tls: Tls = None,
    http_port: Annotated[
        int | None,
        typer.Option("--http-port", min=0, max=65535, help="Plain HTTP that leads to https; what must come before it."),
    ] = None,
    plain_port: Annotated[
        int | None,
        typer.Option("--plain-port", min=0, max=65535, help="Plain HTTP for readings alone, by keys that allow it."),
    ] = None,
) -> None:
    """Start the product."""
    given = {"trust_forwarded": trust_forwarded, "tls": tls, "http_port": http_port, "plain_port": plain_port}
    given = {name: value for name, value in given.items() if value is not None}
    _verb("serve", folder=folder, port=port, host=host, base_path=base_path, given=given)


class _Kinds(typer.core.TyperGroup):
    """The kinds of `import`; what is none of them is the name of a table's file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the usual kind first where none is named."""
        if args and args[0] != "--help" and args[0] not in self.commands:
            args = ["table", *args]
        return super().parse_args(ctx, args)


imports = typer.Typer(cls=_Kinds, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(imports, name="import", help="Bring readings into a running server; FILE alone is a table.")


@imports.command(name="table")
def import_table(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, CSV.gz, .xlsx, Green Button .xml.")],
    folder: Folder = Path("data"),
    url: Address = "",
    key: WriteKey = "",
    read_key: ReadKey = "",
    zone: Zone = "UTC",
    prefix: Annotated[str, typer.Option(help="Put before the names of the columns.")] = "",
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; default: the first.")] = None,
    time_column: Annotated[str | None, typer.Option(help="Column of times, when its name does not tell.")] = None,
    decimal_comma: Annotated[bool, typer.Option(help="Numbers are written 1,5.")] = False,
    encoding: Annotated[str, typer.Option(help="Of a CSV; default: UTF-8, what is not that Windows-1252.")] = "",
) -> None:
    """Bring a table of readings into a running server; says exactly what became of each row."""
    _verb("importing", **locals())


@imports.command(name="blip")
def import_blip(
    source: Annotated[str, typer.Argument(help="postgresql://USER@HOST/DATABASE, or a file that pg_dump has made.")],
    folder: Folder = Path("data"),
    url: Address = "",
    key: WriteKey = "",
    read_key: ReadKey = "",
    table: Annotated[str, typer.Option(help="With the columns id, stamp and ms.")] = "readings",
    meter: Annotated[int, typer.Option(min=1, max=99_999, help="Of a table without ids.")] = 1,
    notes: Annotated[Path | None, typer.Option(help="Where to remember how far it went.", show_default=False)] = None,
) -> None:
    """Take over the pulses of a blink-counting server from its PostgreSQL table."""
    _verb("blip", **locals())


@app.command(name="export")
def export_file(
    file: Annotated[Path | None, typer.Argument(help="CSV or .xlsx; default: standard output.")] = None,
    folder: Folder = Path("data"),
    url: Address = "",
    read_key: ReadKey = "",
    point: Annotated[list[str] | None, typer.Option(help="Address or number of a point; repeat; default: all.")] = None,
    start: Annotated[str, typer.Option(help="ISO 8601; default: the first reading.")] = "",
    end: Annotated[str, typer.Option(help="ISO 8601, not included; default: now.")] = "",
    zone: Zone = "UTC",
) -> None:
    """Write the readings of a running server into a file."""
    _verb(
        "exporting",
        file=file,
        folder=folder,
        url=url,
        read_key=read_key,
        points=point or [],
        start=start,
        end=end,
        zone=zone,
    )


simulating = typer.Typer(help="Readings that were never measured.")
app.add_typer(simulating, name="simulate")


@simulating.callback(invoke_without_command=True)
def simulate(
    context: typer.Context,
    folder: Folder = Path("data"),
    url: Address = "",
    key: WriteKey = "",
    years: Annotated[float, typer.Option(min=0.001, max=50, help="How far back the readings go.")] = 10.0,
    every_s: Annotated[
        int, typer.Option("--every", min=0, max=86_400, help="Seconds between readings; 0: 300, of a fleet 900.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Another seed, another home.")] = 1,
    fleet: Annotated[int, typer.Option(min=0, max=1_000_000, help="Make a fleet of so many sites instead.")] = 0,
    days: Annotated[float, typer.Option(min=0.01, max=400, help="How far back the fleet's readings go.")] = 2.0,
) -> None:
    """Post years of generated readings of one solar home, or make a fleet of sites with some days of readings."""
    if context.invoked_subcommand:
        return
    if fleet:
        _verb(
            "simulation.simulating_fleet",
            folder=folder,
            url=url,
            count=fleet,
            days=days,
            every_s=every_s or 900,
            seed=seed,
        )
    else:
        _verb("simulation.simulating", folder=folder, url=url, key=key, years=years, every_s=every_s or 300, seed=seed)


@simulating.command(name="device")
def simulate_device(
    csv: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Times and values, as for import.")],
    device: Annotated[str, typer.Option(help="Its id.")],
    to: Annotated[
        str, typer.Option(help="amqp://host/vhost?queue=…, mqtt://host/topic, nats://host/subject, http://…")
    ],
    key: WriteKey = "",
    pace: Annotated[float, typer.Option(min=0, help="Seconds of the file in a second; 0: as fast as possible.")] = 1.0,
    column: Annotated[str, typer.Option(help="Which; default: the first of values.")] = "",
    factor: Annotated[float, typer.Option(help="From the file's unit to kW.")] = 1.0,
    zone: Zone = "UTC",
    from_now: Annotated[
        bool, typer.Option("--from-now", help="The first reading is of now, the others follow.")
    ] = False,
    folder: Folder = Path("data"),
) -> None:
    """Play a CSV file as one smart meter, in order."""
    _verb("simulation.simulating_device", **locals())


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="Folder that is empty or does not exist.")],
    folder: Folder = Path("data"),
) -> None:
    """Copy everything into one folder, while the server runs or not."""
    _verb("backup", target=target, folder=folder)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder of a backup.")],
    folder: Folder = Path("data"),
) -> None:
    """Bring a backup back into a folder that has no data."""
    _verb("restore", source=source, folder=folder)


@app.command()
def check(folder: Folder = Path("data"), port: Port = 8086, host: Host = "127.0.0.1", tls: Tls = None) -> None:
    """Look at machine and folder; say in a line each what is wrong and what to do."""
    _verb("check", folder=folder, port=port, host=host, given={} if tls is None else {"tls": tls})


modbus = typer.Typer(help="Look at Modbus devices; needs no server.", no_args_is_help=True)
app.add_typer(modbus, name="modbus")


@modbus.command(name="scan")
def modbus_scan(
    bus: Annotated[str, typer.Argument(help="As for the others, or a range: 192.168.1.0/24, 192.168.1.10-40.")],
    first: Annotated[int, typer.Option(min=0, max=255)] = 1,
    last: Annotated[int, typer.Option(min=0, max=255, help="0: 16 over TCP, 247 on a line.")] = 0,
    unit: Annotated[int, typer.Option(min=0, max=255, help="Unit id that is asked at each host of a range.")] = 1,
    rtu: Rtu = False,
    baud: Baud = 9_600,
    parity: Parity = "none",
    timeout_s: Timeout = 0.3,
) -> None:
    """Say which devices answer on a bus, or at the hosts of a range, and what they say of themselves."""
    _verb("modbus", what="scan", **locals())


@modbus.command(name="read")
def modbus_read(
    bus: Bus,
    at: Annotated[int, typer.Argument(min=0, max=65_535, help="First register, counted from 0.")],
    count: Annotated[int, typer.Argument(min=1, max=125)] = 10,
    table: Annotated[Literal["holding", "input"], typer.Option()] = "holding",
    form: Annotated[str, typer.Option(help="uint16, int32, float32, float32le …; le: low word first.")] = "uint16",
    unit: Unit = 1,
    rtu: Rtu = False,
    baud: Baud = 9_600,
    parity: Parity = "none",
    timeout_s: Timeout = 1.0,
) -> None:
    """Print registers as they are now."""
    _verb("modbus", what="read", **locals())


@modbus.command(name="test")
def modbus_test(
    bus: Bus,
    template: Annotated[str, typer.Argument(help="Name of a template; without: what SunSpec says.")] = "",
    unit: Unit = 1,
    rtu: Rtu = False,
    baud: Baud = 9_600,
    parity: Parity = "none",
    timeout_s: Timeout = 1.0,
) -> None:
    """Read every register of a template from a device, and say which are missing or hardly right."""
    _verb("modbus", what="test" if template else "sunspec", **locals())


@app.command()
def version() -> None:
    """Say which version this is."""
    typer.echo(__version__)


def main() -> None:
    """Entry point: errors of ours, and of files and connections, become one line and exit code 1."""
    try:
        app()
    except WattsteadError as error:
        typer.echo(f"wattstead: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        typer.echo(f"wattstead: {said}", err=True)
        sys.exit(1)
