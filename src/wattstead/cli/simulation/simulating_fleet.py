"""``wattstead simulate --fleet``: a fleet of solar sites with some days of readings, into a folder's product.

Where a server runs on the folder the readings are posted to it, by each site with its own key; else they go into the
journal, where they are durable, and the next start stores them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from wattstead.certificates.authority import authority_file
from wattstead.cli.client import Client
from wattstead.cli.simulation import fleet
from wattstead.cli.simulation.fleet import Sitting
from wattstead.cli.simulation.fleet_readings import DAY_S, FleetReadings, SiteReadings, batch_of, joined
from wattstead.control import NotRunning, VerbRefused, ask
from wattstead.metering.wording import counted
from wattstead.registry.registry import Registry
from wattstead.settings import Settings, settings_of
from wattstead.stream import Journal, JournalLimits

_SITES_AT_ONCE, _DAYS_AT_ONCE = 100, 3


def run(folder: Path, url: str, count: int, days: float, every_s: int, seed: int) -> int:
    """Make ``count`` sites and post the readings of the last ``days``."""
    settings = settings_of(folder=folder)
    if _runs(folder):
        client = Client(url or _address(settings), authority=authority_file(folder))
        with Registry(settings.registry_address) as registry:
            sittings = _settle(registry, settings.owner_email, count, seed)
        try:
            sent = _post(client, sittings, days, every_s, seed)
        finally:
            client.close()
    else:
        sent = asyncio.run(_append(settings, count, days, every_s, seed))
    made = f"{counted(count, 'site')}, {counted(sent, 'reading')} of {counted(days, 'day')}"
    typer.echo(f"{made}; they are simulated and say so")
    return 0


def _runs(folder: Path) -> bool:
    """Whether a server runs on that folder."""
    try:
        ask(folder, "are you there")
    except NotRunning:
        return False
    except VerbRefused:
        return True
    return True


def _address(settings: Settings) -> str:
    note = settings.folder / "demo.json"
    told = json.loads(note.read_text()).get("url", "") if note.exists() else ""
    plain = settings.tls_mode == "off" and authority_file(settings.folder) is None
    return told or f"{'http' if plain else 'https'}://{settings.host}:{settings.port}{settings.base_path}"


def _settle(registry: Registry, owner_email: str, count: int, seed: int) -> list[Sitting]:
    """The sites, below the first organization; where there is nobody yet, with its owner, told this once."""
    first = registry.first_owner(owner_email)
    if first is not None:
        typer.echo(f"e-mail {first.account.email}  password {first.password}")
    roots = [one.id for one in registry.organizations() if one.parent_id is None]
    made: list[Sitting] = []
    with typer.progressbar(length=count, label="sites") as bar:
        for some in fleet.settle(registry, roots[0] if roots else None, count, seed):
            made += some
            bar.update(len(some))
    return made


def _batches(sittings: Sequence[Sitting], days: float, every_s: int, seed: int) -> Iterator[list[SiteReadings]]:
    """Readings of some sites and some days at once, the last with one of each point that is not followed."""
    now_s = time.time() // every_s * every_s
    start_s = now_s - days * DAY_S
    for start in range(0, len(sittings), _SITES_AT_ONCE):
        some = FleetReadings(sittings[start : start + _SITES_AT_ONCE], int(start_s // DAY_S), every_s, seed)
        held: list[list[SiteReadings]] = []
        for _, readings in some.days(now_s):
            held.append([_since(one, int(start_s * 1e6)) for one in readings])
            if len(held) == _DAYS_AT_ONCE:
                yield [joined(parts) for parts in zip(*held, strict=True)]
                held = []
        held.append([some.steady(one, int(now_s * 1e6)) for one in some.sittings])
        yield [joined(parts) for parts in zip(*held, strict=True)]


def _since(one: SiteReadings, start_us: int) -> SiteReadings:
    late = one.time_us >= start_us
    return one if late.all() else SiteReadings(one.sitting, one.point[late], one.time_us[late], one.value[late])


def _post(client: Client, sittings: Sequence[Sitting], days: float, every_s: int, seed: int) -> int:
    """Each site posts what it has measured, with its own key."""
    sent = 0
    expected = int(sum(6 + 3 * one.grid for one in sittings) * days * DAY_S / every_s)
    with typer.progressbar(length=expected, label="readings") as bar:
        for readings in _batches(sittings, days, every_s, seed):
            for one in readings:
                client.write_key = one.sitting.secret
                names = {point_id: address for address, point_id in one.sitting.points.items()}
                accepted, refused = client.post_readings(
                    [names[point] for point in one.point.tolist()], one.time_us.tolist(), one.value.tolist()
                )
                sent += accepted
                bar.update(accepted)
                for issue in refused[:5]:
                    typer.echo(f"{issue.place}: {issue.reason}", err=True)
    return sent


async def _append(settings: Settings, count: int, days: float, every_s: int, seed: int) -> int:
    """Put the readings into the folder's journal; the next start stores them."""
    sent = 0
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with Registry(settings.registry_address) as registry:
        registry.migrate()
        sittings = _settle(registry, settings.owner_email, count, seed)
    journal = Journal.open(settings.folder.absolute() / "journal", 0, JournalLimits())
    try:
        for readings in _batches(sittings, days, every_s, seed):
            batch = batch_of(readings)
            if len(batch.point):
                await journal.append(batch)
            sent += len(batch.point)
    finally:
        await journal.close()
    return sent
