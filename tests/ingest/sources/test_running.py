"""The supervisor: starts, stops and follows changes; whatever a protocol does, the server goes on."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests.ingest.sources.conftest import until
from tests.ingest.sources.odd import Script, decode

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.sources.forms import SettingsInvalid
from wattstead.ingest.sources.outward import AddressRefused, Outward, networks
from wattstead.ingest.sources.running import Looked
from wattstead.ingest.sources.sight import State
from wattstead.ingest.sources.source_protocol import Message, Way
from wattstead.registry.places.sources import Given

if TYPE_CHECKING:
    from tests.ingest.sources.conftest import House

pytestmark = pytest.mark.unit
Open = Callable[..., "House"]
SECRET = "hunter2-und-Ärger"


@pytest.fixture
def script() -> Script:
    return Script()


async def test_a_change_is_followed_and_two_never_run_at_once(open_house: Open, script: Script) -> None:
    house = open_house([script.row()])
    await house.sources.start()
    source = house.source("odd", {})
    assert (await house.is_in(source, State.CONNECTED)).connected_to == "127.0.0.1"
    for number in range(3):
        house.registry.change_source(source, Given(settings={"host": f"10.0.0.{number}"}))
    await until(lambda: house.sources.sight(source).connected_to == "10.0.0.2")  # type: ignore[union-attr]
    runs = script.runs
    house.registry.change_source(source, Given(name="other"))
    await until(lambda: house.sources.named(source) == "other")
    assert script.runs == runs and script.most == 1
    house.registry.change_source(source, Given(enabled=False))
    await house.is_in(source, State.OFF)
    await until(lambda: not script.running)
    house.registry.change_source(source, Given(enabled=True))
    await house.is_in(source, State.CONNECTED)
    house.registry.delete_source(source)
    await until(lambda: house.sources.sight(source) is None and not script.running)


async def test_what_ran_before_runs_again_after_a_start(open_house: Open, script: Script) -> None:
    house = open_house([script.row()])
    source, off = house.source("odd", {}), house.source("odd", {}, enabled=False)
    await house.sources.start()
    await house.is_in(source, State.CONNECTED)
    await house.is_in(off, State.OFF)


@pytest.mark.parametrize(
    ("does", "state", "said", "faults"),
    [
        ("fails", State.WAITING, "mqtt://me:•••@127.0.0.1 refuses us", 0),
        ("gives up", State.HOPELESS, "the password '•••' is wrong", 0),
        ("breaks in a group", State.HOPELESS, "127.0.0.1 has gone", 0),
        ("breaks", State.WAITING, "a fault of the program (RuntimeError)", 1),
        ("returns", State.WAITING, "has ended the connection", 0),
    ],
)
async def test_failures_are_told_without_secrets_and_tried_again(
    open_house: Open,
    script: Script,
    capsys: pytest.CaptureFixture[str],
    does: str,
    state: State,
    said: str,
    faults: int,
) -> None:
    house = open_house([script.row()])
    source = house.source("odd", {"does": does}, secrets={"password": SECRET})
    await house.sources.start()
    sight = await house.is_in(source, state)
    assert said in sight.last_error and sight.failures == 1 and sight.faults == faults
    if state is State.WAITING:
        assert sight.retry_us > sight.failed_us > 0
        await until(lambda: script.runs > 1)
    else:
        await asyncio.sleep(1.3)  # longer than the first wait would be
        assert script.runs == 1
        house.registry.change_source(source, Given(settings={"does": "waits"}))
        await house.is_in(source, State.CONNECTED)
    told = capsys.readouterr()
    assert SECRET not in told.out + told.err + str(house.sources.sights())


async def test_settings_that_no_longer_fit_are_told(open_house: Open, script: Script) -> None:
    house = open_house([script.row()])
    wrong, unknown = house.source("odd", {"factor": -1}), house.source("gone", {})
    broken = house.source("odd", {"does": "cannot be read"}, secrets={"password": SECRET})
    last = house.source("odd", {"does": "waits"})
    await house.sources.start()
    assert "factor" in (await house.is_in(wrong, State.HOPELESS)).last_error
    assert "'gone'" in (await house.is_in(unknown, State.HOPELESS)).last_error
    assert "(KeyError)" in (await house.is_in(broken, State.HOPELESS)).last_error
    await house.is_in(last, State.CONNECTED)
    assert script.runs == 1 and SECRET not in str(house.sources.sights())


async def test_a_closed_site_or_device_is_not_asked_for_readings(open_house: Open, script: Script) -> None:
    house = open_house([script.row()])
    device = house.registry.create_device(house.site, "Meter").id
    source = house.source("odd", {}, device_id=device)
    await house.sources.start()
    await house.is_in(source, State.CONNECTED)
    house.registry.put_posting(device, False)
    await house.is_in(source, State.CLOSED)
    house.registry.put_posting(device, True)
    await house.is_in(source, State.CONNECTED)
    house.registry.change_site(house.site, attributes={"state": "disabled"})
    await house.is_in(source, State.CLOSED)
    house.registry.change_site(house.site, attributes={"state": "active"})
    await house.is_in(source, State.CONNECTED)


async def test_networks_that_are_nobodys_are_not_reached(open_house: Open, script: Script) -> None:
    house = open_house([script.row()], outward=Outward(networks("169.254.0.0/16, 127.0.0.0/8")))
    source = house.source("odd", {"host": "localhost"})
    mapped = house.source("odd", {"host": "tcp://[::ffff:169.254.169.254]:80"})
    plain, whole = house.source("odd", {"host": "me@169.254.1.1:80"}), house.source("odd", {"host": "2851995649"})
    await house.sources.start()
    for one in (source, mapped, plain, whole):
        assert "not to be reached" in (await house.is_in(one, State.HOPELESS)).last_error
    assert script.runs == 0
    with pytest.raises(AddressRefused):
        await house.sources.look("odd", {"host": "169.254.169.254", "does": "finds"}, {}, {})


async def test_looking_around_before_anything_is_saved(
    open_house: Open, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house = open_house([script.row()])
    found = await house.sources.look("odd", {"does": "finds", "host": "h"}, {}, {"at": "x"})
    assert [(one.where, one.name) for one in found] == [("x", "h")]
    for does, said in (("fails", "mqtt://me:•••@127.0.0.1 refuses us"), ("breaks", "a fault of the program")):
        with pytest.raises(Looked, match=said) as raised:
            await house.sources.look("odd", {"does": does}, {"password": SECRET}, {})
        assert SECRET not in str(raised.value)
    with pytest.raises(SettingsInvalid, match="factor"):
        await house.sources.look("odd", {"factor": "much"}, {}, {})
    with pytest.raises(ParameterInvalid):
        await house.sources.look("none", {}, {}, {})
    monkeypatch.setattr("wattstead.ingest.sources.running._LOOK_S", 0.05)
    with pytest.raises(Looked, match="within"):
        await house.sources.look("odd", {"does": "waits"}, {}, {})
    told = capsys.readouterr()
    assert SECRET not in told.out + told.err


async def test_letters_are_replayed_under_other_settings(open_house: Open, script: Script) -> None:
    numbers = itertools.count(house_seconds := 1_790_000_000)

    async def bring(settings: Any, way: Way) -> None:
        for text in ("a {t} 1\nb {t} much", "only two", "c {t} 5"):
            message = Message(text.format(t=next(numbers)).encode(), "there", way.present_us())
            try:
                await way.keep(decode(message, settings), message)
            except Exception as error:
                way.refuse(message, str(error))
        script.steps = None

    script.steps = bring
    house = open_house([script.row()])
    house.now_us = house_seconds * 1_000_000
    source = house.source("odd", {})
    await house.sources.start()
    await house.is_in(source, State.CONNECTED)
    await until(lambda: house.letters.held(source).letters == 2)
    sight = house.sources.sight(source)
    assert sight is not None
    assert (sight.messages, sight.readings, sight.rejected, sight.refused) == (3, 2, 1, 1)
    assert [letter.reason for letter in house.letters.page(source)] == [
        "line 0 has 2 words; expected three", "line 1: value is 'much'; expected a number"
    ]  # fmt: skip
    again = await house.sources.replay(source)
    assert (again.gone, again.left) == (0, 2) and house.letters.page(source)[0].tries == 1


async def test_a_flood_of_rubbish_is_cut_off(
    open_house: Open, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    async def flood(settings: Any, way: Way) -> None:
        while True:
            for _ in range(100):
                way.refuse(Message(b"x", "there", way.present_us()), "it is nothing")
            await asyncio.sleep(0)

    monkeypatch.setattr("wattstead.ingest.sources.running._UNREADABLE_PER_S", 200)
    script.steps = flood
    house = open_house([script.row()])
    source = house.source("odd", {})
    await house.sources.start()
    sight = await house.is_in(source, State.WAITING)
    assert "cannot be read" in sight.last_error
    held = await until(lambda: (now := house.letters.held(source)).lost and now)
    assert held.letters == 1_000
