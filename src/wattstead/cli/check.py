"""``wattstead check``: looks at the machine and the folder, and says in one line each what is wrong and what to do.

It changes nothing; where the product runs it is asked, where it does not run its store is opened for a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import typer

from wattstead.certificates.authority import FOLDER, authority_file
from wattstead.metering.errors import WattsteadError
from wattstead.registry.registry import Registry
from wattstead.securing import standing
from wattstead.series import Series
from wattstead.settings import Settings, settings_of
from wattstead.store.errors import FolderTaken
from wattstead.store.folder import StoreFolder
from wattstead.store.supervise import StoreProcess

_SYNCS = 20
_SLOW_SYNC_MS = 25.0
_SUSPICIOUS_SYNC_MS = 0.02
_LITTLE_SPACE = 2_000_000_000
_YEAR_2025_S = 1_735_689_600
_CLOCK_UNSYNCHRONISED = 5
_MANY_PARTS = 1_000


class Finding(NamedTuple):
    """One line of the report."""

    name: str
    ok: bool
    text: str


def run(folder: Path, port: int, host: str, given: dict[str, Any]) -> int:
    """Print every finding; exit code 1 when one is not well."""
    settings = settings_of(folder=folder, port=port, host=host, **given)
    findings = [check(settings) for check in CHECKS]
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.ok else 'BAD '} {finding.name:12} {finding.text}")
    return 0 if all(finding.ok for finding in findings) else 1


def clock(_: Settings) -> Finding:
    """Whether the clock can be right and is kept right."""
    now = time.time()
    if now < _YEAR_2025_S:
        return Finding("clock", False, f"says {time.strftime('%Y-%m-%d', time.gmtime(now))}: set it, and run NTP")
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(256))
    except (OSError, AttributeError):
        return Finding("clock", True, "plausible; whether it is synchronised cannot be seen on this system")
    if state == _CLOCK_UNSYNCHRONISED:
        return Finding(
            "clock", True, "plausible, not synchronised by NTP: readings without a time may be stamped wrongly"
        )
    return Finding("clock", True, "synchronised")


def permissions(settings: Settings) -> Finding:
    """Whether the folder can be written, and by nobody else."""
    folder = settings.folder.absolute()
    if not folder.exists():
        parent = next(p for p in folder.parents if p.exists())
        able = os.access(parent, os.W_OK)
        return Finding(
            "permissions", able, f"{folder} will be made" if able else f"{parent} cannot be written: chown it"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("permissions", False, f"{folder} cannot be written by this user: chown it")
    secret = [folder / name for name in ("registry.db", "demo.json", "seal.key")]
    secret += [*(folder / FOLDER).glob("*.key")]
    loose = [path.name for path in secret if path.exists() and path.stat().st_mode & 0o077]
    if loose:
        return Finding("permissions", False, f"others can read {', '.join(sorted(loose))}: chmod 600 them")
    return Finding("permissions", True, f"{folder} belongs to this user alone")


def disk(settings: Settings) -> Finding:
    """How quickly the disk makes a small write durable, and how much room there is."""
    folder = next(p for p in (settings.folder.absolute(), *settings.folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(folder).free
    try:
        spans_ms = _sync_spans_ms(folder)
    except OSError as error:
        what = "is full" if error.errno == errno.ENOSPC else f"cannot be written ({error.strerror})"
        return Finding("disk", False, f"{folder} {what}: make room")
    middle = statistics.median(spans_ms)
    text = f"a durable write takes {middle:.2f} ms, {free / 1e9:.1f} GB free"
    if free < _LITTLE_SPACE:
        return Finding("disk", False, f"{text}: make room, 2 GB are the least")
    if middle > _SLOW_SYNC_MS:
        return Finding("disk", True, f"{text}; slow: senders wait that long for each answer")
    if middle < _SUSPICIOUS_SYNC_MS:
        return Finding(
            "disk", True, f"{text}; so quick that the disk may only pretend: a power cut could lose readings"
        )
    return Finding("disk", True, text)


def _sync_spans_ms(folder: Path) -> list[float]:
    spans = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            file.write(b"\0" * 4096)
            began = time.perf_counter()
            file.flush()
            os.fsync(file.fileno())
            spans.append((time.perf_counter() - began) * 1000)
    return spans


def port(settings: Settings) -> Finding:
    """Whether the port is free, or ours already."""
    with contextlib.suppress(httpx.HTTPError):
        scheme = "http" if settings.tls_mode == "off" else "https"
        address = f"{scheme}://{settings.host}:{settings.port}/health"
        answer = httpx.get(address, timeout=3.0, verify=False)  # noqa: S501 - who answers here is all that is asked
        if answer.is_success and "wattstead" in answer.text:
            return Finding("port", True, f"Wattstead answers on {settings.host}:{settings.port}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return Finding(
                "port", False, f"{settings.host}:{settings.port}: {error.strerror}: choose another with --port"
            )
    return Finding("port", True, f"{settings.host}:{settings.port} is free")


def certificate(settings: Settings) -> Finding:
    """Whether the certificate that is served holds, and for how long."""
    if settings.tls_mode == "off" and authority_file(settings.folder) is None:
        return Finding("certificate", True, "none: pages are for this machine alone, or TLS is a proxy's affair")
    try:
        return Finding("certificate", *standing(settings))
    except WattsteadError as error:
        return Finding("certificate", False, f"{error}; a running server goes on with the last good one")


def registry(settings: Settings) -> Finding:
    """Whether the registry opens and its schema is the one this version knows."""
    if not settings.registry_url and not (settings.folder / "registry.db").exists():
        return Finding("registry", True, "none yet; it is made at the first start")
    try:
        with Registry(settings.registry_address) as found:
            revision, known = found.schema()
            points = found.largest_point_id()
    except WattsteadError as error:
        return Finding("registry", False, str(error))
    if revision != known:
        return Finding("registry", True, f"schema {revision} is brought to {known} at the next start")
    return Finding("registry", True, f"schema {revision}, points up to {points}")


def store(settings: Settings) -> Finding:
    """Whether the store opens, its schema is known and no part is broken."""
    if not settings.store_address.get_secret_value() and not (settings.folder / "store").exists():
        return Finding("store", True, "none yet; it is made at the first start")
    try:
        return asyncio.run(_look_at_store(settings))
    except WattsteadError as error:
        return Finding("store", False, str(error))


async def _look_at_store(settings: Settings) -> Finding:
    if settings.store_address.get_secret_value():
        return await asyncio.to_thread(_ask, settings.store_address.get_secret_value())
    try:
        StoreFolder(settings.folder / "store").close()
    except FolderTaken as taken:
        return Finding("store", True, f"in use by process {taken.holder_pid}; the running server tells its state")
    async with StoreProcess(settings.folder / "store") as process:
        return await asyncio.to_thread(_ask, process.address)


def _ask(address: str) -> Finding:
    series = Series(address)
    try:
        found = series.check()
    finally:
        series.close()
    broken = [f"{table.name}: {table.broken_parts}" for table in found.tables if table.broken_parts]
    if found.schema > found.expected_schema:
        return Finding(
            "store", False, f"schema {found.schema} is newer than this version's {found.expected_schema}: upgrade"
        )
    if broken:
        text = f"parts set aside as unreadable ({', '.join(broken)}): restore a backup if readings are missing"
        return Finding("store", False, text)
    if any(table.most_parts > _MANY_PARTS for table in found.tables):
        return Finding(
            "store", False, "a partition has too many parts: give the machine time to merge, import less at once"
        )
    rows = next((table.rows for table in found.tables if table.name == "reading"), 0)
    size = sum(table.bytes for table in found.tables)
    return Finding("store", True, f"schema {found.schema}, {rows:,} readings, {size / 1e6:.1f} MB, no broken part")


CHECKS: tuple[Callable[[Settings], Finding], ...] = (clock, permissions, disk, port, certificate, registry, store)
