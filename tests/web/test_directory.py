"""The directory of points and viewers: in memory, yet never behind the registry for longer than a moment."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest
from tests.migrated import migrated

from wattstead.registry.points.declare import PointChange
from wattstead.registry.records import NewAddress, PointDeclaration, PointRow, Scope
from wattstead.registry.registry import Registry
from wattstead.web.access.viewer import Viewer
from wattstead.web.directory import POLL_S, Directory
from wattstead.web.threads import Threads

pytestmark = pytest.mark.unit


class Place:
    """A registry with one site and keys, and a directory of it."""

    def __init__(self, folder: Path) -> None:
        self.registry = Registry(migrated(folder))
        made = self.registry.first_owner("owner@test.example", "correct horse battery")
        assert made is not None
        self.site = self.registry.create_site(made.account.organization_id, "Home", "UTC").id
        self.other = self.registry.create_site(made.account.organization_id, "Other", "UTC").id
        self.read = self.registry.create_key(self.site, Scope.READ)
        self.write = self.registry.create_key(self.site, Scope.WRITE)
        self.threads = Threads("registry", 2, 100)
        self.directory = Directory(self.registry, self.threads)

    def appear(self, path: str) -> int:
        grant = self.registry.key(self.write.secret)
        assert grant is not None
        return self.registry.resolve(grant, [NewAddress(path)])[path]

    async def viewer(self, secret: str = "") -> Viewer:
        found = await self.directory.viewer_of_key(secret or self.read.secret)
        assert found is not None
        return found


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    found = Place(tmp_path)
    yield found
    found.threads.close()
    found.registry.close()


async def test_a_new_address_is_seen_after_a_moment(place: Place) -> None:
    viewer = await place.viewer()
    assert await place.directory.rows_of_sites(viewer) == {}
    first = place.appear("one")
    await asyncio.sleep(POLL_S)
    assert list(await place.directory.rows_of_sites(viewer)) == [first]
    second = place.appear("two")
    place.directory.expire()
    assert list(await place.directory.rows_of_sites(viewer)) == [first, second]
    assert list(await place.directory.rows(viewer, [second, 99, first])) == [second, first]


async def test_a_change_is_seen_and_what_was_made_of_it_is_made_again(place: Place) -> None:
    point = place.appear("one")
    viewer = await place.viewer()
    made = 0

    def names(rows: dict[int, object]) -> list[str]:
        nonlocal made
        made += 1
        return [row.name for row in rows.values()]  # type: ignore[attr-defined]

    for _ in range(3):
        assert await place.directory.made_of_sites(viewer, None, "names", names) == ["one"]
    assert made == 1
    place.registry.change_point(point, PointChange(name="first"))
    place.directory.expire()
    assert await place.directory.made_of_sites(viewer, None, "names", names) == ["first"]
    assert (await place.directory.rows(viewer, [point]))[point].name == "first"


async def test_a_change_during_a_look_is_seen_by_the_next_question(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = await place.viewer()
    assert await place.directory.rows_of_sites(viewer) == {}
    looked, changed, largest_point_id = threading.Event(), threading.Event(), place.registry.largest_point_id

    def slowly() -> int:
        found = largest_point_id()
        looked.set()
        assert changed.wait(60)
        return found

    monkeypatch.setattr(place.registry, "largest_point_id", slowly)
    place.directory.expire()
    asking = asyncio.create_task(place.directory.rows_of_sites(viewer))
    assert await asyncio.to_thread(looked.wait, 60)
    point = place.appear("one")
    place.directory.expire()
    changed.set()
    assert await asking == {}
    assert list(await place.directory.rows_of_sites(viewer)) == [point]


async def test_points_of_another_site_are_not_there(place: Place) -> None:
    (theirs,) = place.registry.create_points(place.other, [PointDeclaration(address="x", name="x")])
    viewer = await place.viewer()
    assert await place.directory.rows(viewer, [theirs]) == {}
    assert await place.directory.rows_of_sites(viewer, [place.other]) == {}


async def test_keys_by_what_they_may(place: Place) -> None:
    assert (await place.viewer()).may_read
    writer = await place.viewer(place.write.secret)
    assert not writer.may_read
    assert await place.directory.rows_of_sites(writer) == {}
    assert await place.directory.viewer_of_key("0" * 32) is None


async def test_a_revoked_key_is_refused_after_a_moment(place: Place) -> None:
    await place.viewer()
    place.registry.revoke_key(place.read.key.id)
    await asyncio.sleep(POLL_S)
    assert await place.directory.viewer_of_key(place.read.secret) is None


async def test_a_session_ends_at_once_where_it_is_ended(place: Place) -> None:
    token = await place.registry.login_soon("owner@test.example", "correct horse battery")
    viewer = await place.directory.viewer_of_session(token)
    assert viewer is not None
    assert set(viewer.sites) == {place.site, place.other}
    place.registry.logout(token)
    place.directory.forget(token)
    assert await place.directory.viewer_of_session(token) is None


async def test_a_new_site_is_seen_by_who_may(place: Place) -> None:
    token = await place.registry.login_soon("owner@test.example", "correct horse battery")
    first = await place.directory.viewer_of_session(token)
    assert first is not None
    account = first.account
    assert account is not None
    site = place.registry.create_site(account.organization_id, "Third", "UTC").id
    place.directory.expire()
    viewer = await place.directory.viewer_of_session(token)
    assert viewer is not None
    assert site in viewer.sites


async def test_many_questions_at_once_while_points_appear(place: Place) -> None:
    viewer = await place.viewer()

    async def ask() -> int:
        await asyncio.sleep(0)
        return len(await place.directory.rows_of_sites(viewer))

    async def grow() -> None:
        for number in range(5):
            await asyncio.to_thread(place.appear, f"point {number}")
            place.directory.expire()

    counts, _ = await asyncio.gather(asyncio.gather(*(ask() for _ in range(200))), grow())
    assert all(0 <= count <= 5 for count in counts)
    place.directory.expire()
    assert len(await place.directory.rows_of_sites(viewer)) == 5


async def test_what_is_made_of_many_points_is_made_once_in_a_thread_until_one_changes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wattstead.web.directory._MANY", 1)
    ids = [place.appear(f"point {number}") for number in range(3)]
    viewer, threads = await place.viewer(), []

    def names(rows: dict[int, PointRow]) -> list[str]:
        threads.append(threading.current_thread())
        return [row.name for row in rows.values()]

    def ask() -> Awaitable[list[str]]:
        return place.directory.made_of_sites(viewer, None, "names", names)

    found = await asyncio.gather(*(ask() for _ in range(5)))
    assert found == [await ask()] * 5 and len(found[0]) == 3
    assert len(threads) == 1 and threads[0] is not threading.main_thread()
    row = place.registry.point(ids[1])
    place.registry.change_point(ids[1], PointChange(name="another"), version=row.version)
    await asyncio.sleep(POLL_S)
    assert (await ask())[1] == "another" and len(threads) == 2
    assert list(await place.directory.rows_of_sites(viewer)) == ids
