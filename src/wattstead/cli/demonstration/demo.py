"""``wattstead demo``: the product with two recorded homes and a small simulated fleet, a person of each role in them.

History is filled in, the present is played: the devices are ordinary senders, which post to the product's own API with
a write key, as any meter would.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import httpx
import numpy as np
import structlog
import typer

from wattstead.app import Product, run_product
from wattstead.cli.client import trusting
from wattstead.cli.demonstration import demo_fleet, demo_people
from wattstead.cli.demonstration.demo_fleet import FleetNote, Played
from wattstead.cli.demonstration.demo_people import Login, Standing
from wattstead.cli.demonstration.recording import DAY_US, Recording, minute_home, samples, second_home
from wattstead.metering.batch import ReadingBatch
from wattstead.registry.policy import Role
from wattstead.registry.records import PointDeclaration, Scope
from wattstead.registry.registry import Registry
from wattstead.settings import settings_of
from wattstead.web.settings import Demo

_log = structlog.get_logger("demo")
_CHUNK = 200_000
_NOTE = "demo.json"
OWNER = "owner@demo.localdomain"
_SAYING = (
    "This is a demo: its two homes are real recordings, played again, and its fleet of solar sites is simulated. "
    "Each site says which it is."
)


class _Note(TypedDict):
    """What ``demo.json`` holds: where the product is and how to get in."""

    url: str
    logins: list[Login]
    keys: dict[str, str]
    senders: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Home:
    """A recording and where its readings go."""

    recording: Recording
    points: tuple[int, ...]
    write_key: str


class _Show:
    """One run of the demo: what was prepared before the port answered, played once it does."""

    def __init__(self) -> None:
        self.homes: list[_Home] = []
        self.note: _Note | None = None
        self.fleet: Played | None = None
        self.from_us = 0

    async def prepare(self, product: Product) -> Demo:
        """Fill in what the homes have missed, and say in ``demo.json`` how to get in."""
        folder = product.settings.folder
        note, self.homes, fleet = await asyncio.to_thread(_furnish, product.registry, folder, product.own_url)
        self.from_us = int(time.time() * 1e6)
        for home in self.homes:
            await _fill(product, home, self.from_us)
        self.fleet = Played(fleet)
        await self.fleet.fill(product, self.from_us)
        self.note = note
        return Demo(_SAYING, note["keys"]["write"])

    async def play(self, product: Product) -> None:
        """Say where the product is, then play the present until the end."""
        assert self.note is not None
        assert self.fleet is not None
        login = self.note["logins"][0]
        typer.echo(f"\nWattstead runs at {product.url}/\n\n  e-mail    {login['email']}")
        typer.echo(f"  password  {login['password']}\n")
        typer.echo(f"  a login of each role: {product.settings.folder / _NOTE}\n")
        async with asyncio.TaskGroup() as players:
            for home in self.homes:
                players.create_task(_play(home, product, self.from_us))
            players.create_task(self.fleet.play(product, self.from_us))


def run(folder: Path, port: int, host: str, base_path: str) -> int:
    """Start the demo and stay until it is ended."""
    settings = settings_of(
        folder=folder, port=port, host=host, base_path=base_path, owner_email=OWNER, store_every_s=3.0
    )
    show = _Show()
    return run_product(settings, prepare=show.prepare, ready=show.play)


def _furnish(registry: Registry, folder: Path, url: str) -> tuple[_Note, list[_Home], FleetNote]:
    """Create people, sites, points and keys at the first start; read them from ``demo.json`` at later ones."""
    path = folder / _NOTE
    recordings = (minute_home(samples()), second_home(samples()))
    note: _Note = json.loads(path.read_text()) if path.exists() else _first_note(registry, recordings)
    note["url"] = url
    _save(path, note)
    by_name = {site.name: site for site in registry.sites()}
    homes = [
        _Home(
            recording,
            tuple(registry.create_points(by_name[recording.site].id, _declared(recording))),
            note["senders"][recording.site],
        )
        for recording in recordings
    ]
    owner = next(one for one in registry.accounts() if one.email == note["logins"][0]["email"])
    fleet = demo_fleet.furnish(registry, folder, owner.organization_id)
    first, second = (by_name[recording.site].id for recording in recordings)
    note["logins"] = demo_people.invite(registry, owner, _places(fleet, first, second), note["logins"])
    _save(path, note)
    return note, homes, fleet


def _places(fleet: FleetNote, home: int, other_home: int) -> dict[Role, Standing]:
    """Where each role stands: of the fleet, of its first partner, of one of its sites, of the homes."""
    return {
        Role.ADMINISTRATOR: {"organization_id": None, "site_id": None},
        Role.AUDITOR: {"organization_id": fleet.owner_id, "site_id": None},
        Role.PARTNER: {"organization_id": fleet.partner_id, "site_id": None},
        Role.OPERATOR: {"organization_id": fleet.owner_id, "site_id": None},
        Role.MANAGER: {"organization_id": None, "site_id": fleet.sittings[0].site_id},
        Role.USER: {"organization_id": None, "site_id": home},
        Role.GUEST: {"organization_id": None, "site_id": other_home},
    }


def _first_note(registry: Registry, recordings: tuple[Recording, ...]) -> _Note:
    password = secrets.token_urlsafe(12)
    made = registry.first_owner(OWNER, password)
    owner = made.account if made else registry.accounts()[0]
    if made is None:
        registry.change_password(owner.id, password)
    senders: dict[str, str] = {}
    read = ""
    for recording in recordings:
        site = registry.create_site(owner.organization_id, recording.site, recording.zone, recording.note)
        senders[recording.site] = registry.create_key(site.id, Scope.WRITE, "demo device").secret
        read = read or registry.create_key(site.id, Scope.READ, "demo reader").secret
    return {
        "url": "",
        "logins": [{"role": "owner", "email": owner.email, "password": password}],
        "keys": {"write": senders[recordings[0].site], "read": read},
        "senders": senders,
    }


def _declared(recording: Recording) -> list[PointDeclaration]:
    return [
        PointDeclaration(
            address=channel.address,
            name=channel.name,
            kind=channel.kind,
            quantity=channel.quantity,
            direction=channel.direction,
            unit=channel.unit,
            role=channel.role,
        )
        for channel in recording.channels
    ]


def _save(path: Path, note: _Note) -> None:
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(note, indent=2) + "\n")
    fresh.replace(path)


async def _fill(product: Product, home: _Home, until_us: int) -> None:
    """Put into the journal what lies between the newest stored reading and now."""
    start_us = until_us - home.recording.history_days * DAY_US
    newest_us = await asyncio.to_thread(product.newest_us, home.points)
    time_us, value = home.recording.between(max(start_us, newest_us + 1), until_us)
    rows = max(1, _CHUNK // value.shape[1])
    for at in range(0, len(time_us), rows):
        await product.journal.append(_batch(home, time_us[at : at + rows], value[at : at + rows]))


def _batch(home: _Home, time_us: np.ndarray, value: np.ndarray) -> ReadingBatch:
    flat = value.ravel()
    known = np.isfinite(flat)
    point = np.tile(np.asarray(home.points, np.uint32), len(time_us))[known]
    return ReadingBatch.of(point, np.repeat(time_us, value.shape[1])[known], flat[known])


async def _play(home: _Home, product: Product, from_us: int) -> None:
    """Post each step when its time has come; what could not be posted is posted later, nothing is left out."""
    recording = home.recording
    names = np.asarray([channel.address for channel in recording.channels])
    headers = {"Authorization": f"Bearer {home.write_key}"}
    trust = trusting(product.authority)
    async with httpx.AsyncClient(base_url=product.own_url, headers=headers, timeout=10.0, verify=trust) as http:
        while True:
            now_us = int(time.time() * 1e6)
            await asyncio.sleep((recording.step_us - now_us % recording.step_us) / 1e6 + 0.01)
            until_us = int(time.time() * 1e6)
            time_us, value = recording.between(from_us, until_us)
            known = np.isfinite(value)
            if known.any():
                body = {
                    "time_unit": "us",
                    "point": np.broadcast_to(names, value.shape)[known].tolist(),
                    "time": np.broadcast_to(time_us[:, None], value.shape)[known].tolist(),
                    "value": value[known].tolist(),
                }
                answer = None
                with contextlib.suppress(httpx.TransportError):
                    answer = await http.post("/api/v1/readings", json=body)
                if answer is None or not answer.is_success:
                    _log.warning("the demo's device could not post", answer=answer.text if answer else "no connection")
                    continue
            from_us = until_us
