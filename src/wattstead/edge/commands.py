"""The command line of an edge: join a server, run, say how it is; it needs nothing that is not on site."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from wattstead.edge.configuration import Held
from wattstead.edge.files import got
from wattstead.edge.identity import Identity, refuse_joined
from wattstead.edge.link import join
from wattstead.edge.running import run_until_told, say_in_lines
from wattstead.edge.waiting import Lanes
from wattstead.metering.errors import WattsteadError
from wattstead.metering.wording import counted

FOLDER = Path("edge-data")


def main(arguments: Sequence[str]) -> int:
    """``wattstead edge …``; the exit code. Errors of ours become one line."""
    asked = _parser().parse_args(arguments)
    try:
        code: int = asked.run(asked)
    except WattsteadError as error:
        sys.stderr.write(f"wattstead: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"wattstead: {error.filename or ''}: {error.strerror or error}\n")
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wattstead edge", description="Read meters on site, and send when possible.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    joining = verbs.add_parser("join", help="become the edge that was made on the page of a site")
    joining.add_argument("url", help="of the server, such as https://server:8086")
    joining.add_argument("code", help="shown once when the edge was made")
    joining.add_argument("--authority", type=Path, help="certificate (PEM) of the server's own authority")
    joining.set_defaults(run=_join)
    running = verbs.add_parser("run", help="read, keep, send; until told to end")
    running.set_defaults(run=_run)
    telling = verbs.add_parser("status", help="say what is on this disk; asks nobody")
    telling.set_defaults(run=_status)
    for verb in (joining, running, telling):
        verb.add_argument("--folder", type=Path, default=FOLDER, help="where keys and readings are kept")
    return parser


def _join(asked: argparse.Namespace) -> int:
    refuse_joined(asked.folder)
    authority = asked.authority.read_text() if asked.authority else ""
    identity = asyncio.run(join(asked.url, asked.code, authority))
    asked.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    identity.save(asked.folder)
    sys.stdout.write(f"edge {identity.edge_id} ({identity.name}) of {identity.site}; now: wattstead edge run\n")
    return 0


def _run(asked: argparse.Namespace) -> int:
    say_in_lines()
    asyncio.run(run_until_told(asked.folder))
    return 0


def _status(asked: argparse.Namespace) -> int:
    identity = Identity.load(asked.folder)
    text, progress = got(asked.folder / "configuration.json"), got(asked.folder / "sending")
    held = msgspec.json.decode(text, type=Held) if text else Held()
    lanes = msgspec.msgpack.decode(progress, type=Lanes) if progress else Lanes()
    number = held.current.number if held.current is not None else 0
    lines = [
        f"edge {identity.edge_id} ({identity.name}) of {identity.site}, server {identity.url}",
        f"configuration {number}{' on trial' if held.former is not None else ''}",
        f"refused {abs(held.refused)}: {held.refused_why}" if held.refused_why else "",
        f"upload {lanes.sequence}, {counted(lanes.sent, 'reading')} sent",
        f"packed {lanes.packed:,}, thinned away {lanes.thinned:,}, given up {lanes.lost:,}",
    ]
    sys.stdout.write("".join(f"{line}\n" for line in lines if line))
    return 0
