"""What every room's tests may use: the product itself, started as a person starts it."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, settings

from tests.brokers import RabbitMq
from tests.compiled import remember
from tests.hashing import cheaply
from tests.postgresql import postgresql
from tests.workers import BesideTheDemo, begin_elsewhere, together

_PATIENCE_S = 120.0
_LONG = (
    "journeys/durability",
    "journeys/test_people",
    "journeys/test_first_answer",  # of a demo that others change afterwards
    "journeys/",
    "certificates/",
    "web/",
    "refining/",
    "series/",
)
settings.register_profile(
    "house",
    deadline=None,  # timing decides no test
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=int(os.environ.get("WATTSTEAD_EXAMPLES", "50")),
)
settings.load_profile("house")
remember()
cheaply()
T = TypeVar("T")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """How several workers share the tests; asked only with ``--dist loadfile``."""
    return BesideTheDemo(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_configure(config: pytest.Config) -> None:
    """Each worker loads the tests in an order of its own."""
    begin_elsewhere(config)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded stays: it is not looked through for what can go, while it is loaded or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long journeys first, so that no worker is left alone with one at the end; then as if loaded in order."""
    rank = {part: at for at, part in enumerate(_LONG)}
    items.sort(
        key=lambda item: (min((rank[part] for part in _LONG if part in item.nodeid), default=len(_LONG)), item.path)
    )


_DEMOS = ("product", "prefixed")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """A demo of a worker ends with the last test that looks at it: it would replay readings until all others end.

    Where another part of the tests that look at it comes to the same worker later, it is started anew.
    """
    if nextitem is None or "PYTEST_XDIST_WORKER" not in os.environ or together(item.path) == together(nextitem.path):
        return
    for name in set(_DEMOS).difference(nextitem.fixturenames):  # type: ignore[attr-defined]
        for fixture in item.session._fixturemanager.getfixturedefs(name, item) or ():
            fixture.finish(item._request)


@dataclass(frozen=True)
class Running:
    """A product that runs: its address, how to get in, and its folder."""

    url: str
    email: str
    password: str
    write_key: str
    read_key: str
    folder: Path
    process: subprocess.Popen[bytes]

    @contextmanager
    def signed_in(self) -> Iterator[httpx.Client]:
        """A client with the owner's session."""
        with httpx.Client(base_url=self.url, headers={"X-Wattstead": "1"}, timeout=60, verify=False) as client:
            client.post("/api/v1/session", json={"email": self.email, "password": self.password}).raise_for_status()
            yield client


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[Running]:
    """`wattstead demo` on a free port; stopped, with all it started, at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wattstead", "demo", "--port", "0", "--data", str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=(folder.parent / f"{folder.name}.log").open("ab"),
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    try:
        _wait_until_it_says_where(process, folder)
        note = json.loads((folder / "demo.json").read_text())
        login, keys = note["logins"][0], note["keys"]
        yield Running(
            note["url"], login["email"], login["password"], keys["write"], keys["read"], folder, process
        )  # fmt: skip
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError("the product did not stop within 30 s of SIGTERM") from None


def _wait_until_it_says_where(process: subprocess.Popen[bytes], folder: Path) -> None:
    assert process.stdout is not None
    until = time.monotonic() + _PATIENCE_S
    for line in process.stdout:
        if b"Wattstead runs at" in line:
            return
        assert time.monotonic() < until, "the product did not start in time"
    log = (folder.parent / f"{folder.name}.log").read_text(errors="replace")
    raise AssertionError(f"the product ended with status {process.wait()} before it was ready:\n{log[-3000:]}")


@contextmanager
def serving(folder: Path, *options: str, **variables: str) -> Iterator[str]:
    """`wattstead serve` on free ports, with those variables of its environment; what it has said once it runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "wattstead", "serve", "--port", "0", "--data", str(folder / "data"), *options],
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("ab"),
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **variables},
        cwd=folder,
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if "Wattstead runs at" in line:
                    break
            assert "Wattstead runs at" in said, (folder / "log").read_text()[-3000:]
            yield said
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One demo for all tests that only read it, or that write to addresses of their own."""
    with demo(tmp_path_factory.mktemp("product") / "data") as running:
        yield running


PREFIX = "/house/energy"


@pytest.fixture(scope="session")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Another demo, below a path prefix, for tests that need a new one or change what others count."""
    with demo(tmp_path_factory.mktemp("prefixed") / "data", "--base-path", PREFIX) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a PostgreSQL server, without the name of a database."""
    with postgresql() as address:
        yield address


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMq]:
    """One RabbitMQ for all tests of a worker, each with queues of its own; it takes six seconds to start."""
    broker = RabbitMq(tmp_path_factory.mktemp("rabbitmq") / "data")
    broker.start()
    yield broker
    broker.close()


Verb = Callable[..., str]


@pytest.fixture(scope="session")
def verb() -> Verb:
    """Run `wattstead` with words, as a person does; gives what it printed, and checks the exit code."""

    def run(*words: str | Path, expect: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "wattstead", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "COLUMNS": "200"},
        )
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    return run


def eventually(found: Callable[[], T], wanted: Callable[[T], bool] = bool, patience_s: float = 60.0) -> T:
    """Ask again until the answer is the one wanted; the last answer when patience ends fails the test."""
    until = time.monotonic() + patience_s
    while True:
        answer = found()
        if wanted(answer):
            return answer
        assert time.monotonic() < until, f"still {str(answer)[:2000]} after {patience_s:g} s"
        time.sleep(0.1)


@pytest.fixture(scope="session", name="eventually")
def _eventually() -> Callable[..., object]:
    """`eventually`, for tests in rooms that cannot import this file."""
    return eventually


@pytest.fixture(scope="session")
def product_at() -> Callable[..., AbstractContextManager[Running]]:
    """Start a demo on a folder of the test's own, for the long proofs that stop or fill it."""
    return demo
