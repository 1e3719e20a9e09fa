"""A real store process on a free port and a folder of its own, and raw HTTP to it."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        return self.headers.get("x-clickhouse-exception-code")


@dataclass
class RunningStore:
    """A store process started by a test."""

    folder: Path
    limits: dict[str, Any] = field(default_factory=dict)
    wrap: tuple[str, ...] = ()
    """A command that runs the store's command line, for example in a mount namespace of its own."""
    port: int = 0
    key: str = field(default_factory=lambda: secrets.token_hex(16))

    def start(self) -> RunningStore:
        self.process = subprocess.Popen(
            [
                *self.wrap,
                *(sys.executable, "-m", "wattstead.store", "--follow-stdin"),
                *("--data", str(self.folder), "--port", str(self.port), "--limits", json.dumps(self.limits)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "WATTSTEAD_STORE_KEY": self.key},
        )
        assert self.process.stdout is not None
        line = json.loads(self.process.stdout.readline() or "{}")
        assert "ready" in line, line
        self.port = line["ready"]
        return self

    def client(self, database: str = "default", **settings: Any) -> Client:
        """The unchanged clickhouse-connect HTTP client."""
        return clickhouse_connect.get_client(
            host="127.0.0.1", port=self.port, username="wattstead", password=self.key, database=database,
            compress=False, autogenerate_session_id=False, settings=settings,
        )  # fmt: skip

    def authorization(self) -> dict[str, str]:
        return {"Authorization": "Basic " + b64encode(f"wattstead:{self.key}".encode()).decode()}

    def send(
        self, body: bytes | str = b"", params: dict[str, str] | None = None, method: str = "POST", path: str = "/",
        headers: dict[str, str] | None = None, authorized: bool = True,
    ) -> Answer:  # fmt: skip
        """One request, as raw as a test wants it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            target = path + ("?" + urlencode(params) if params else "")
            sent = {**(self.authorization() if authorized else {}), **(headers or {})}
            connection.request(method, target, body if isinstance(body, bytes) else body.encode(), sent)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def ask(self, sql: str, **params: str) -> str:
        """The text answer to a statement that must succeed."""
        answer = self.send(sql, params)
        assert answer.status == 200, answer.body
        return answer.body.decode()

    def health(self) -> dict[str, Any]:
        return json.loads(self.send(method="GET", path="/health").body)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self._wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self._wait()

    def _wait(self) -> int:
        status = self.process.wait(30)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return status


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    """One process for all tests that leave it as it is."""
    store = RunningStore(tmp_path_factory.mktemp("store")).start()
    yield store
    store.stop()


@dataclass
class Room:
    """A database of its own in the shared process."""

    store: RunningStore
    database: str
    client: Client


@pytest.fixture
def room(shared_store: RunningStore) -> Iterator[Room]:
    name = "t" + uuid.uuid4().hex[:10]
    shared_store.ask(f"CREATE DATABASE {name} ENGINE = Atomic")
    client = shared_store.client(name)
    yield Room(shared_store, name, client)
    client.close()
    shared_store.ask(f"DROP DATABASE {name} SYNC")


@pytest.fixture
def start_store(tmp_path: Path) -> Iterator[Callable[..., RunningStore]]:
    """Starts processes that the test may kill, starve or fill; stops what is left of them."""
    started: list[RunningStore] = []

    def start(name: str = "store", **options: Any) -> RunningStore:
        started.append(RunningStore(tmp_path / name, **options))
        return started[-1].start()

    yield start
    for store in started:
        if store.process.poll() is None:
            store.stop()
