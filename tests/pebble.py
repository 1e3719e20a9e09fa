"""Pebble, the test server of Let's Encrypt's makers (RFC 8555): real signatures, nonces, orders, and checks by HTTP."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from wattstead.certificates.authority import open_authority
from wattstead.certificates.live import present
from wattstead.certificates.pair import save_pair


@dataclass(frozen=True)
class Pebble:
    """One that runs."""

    directory: str
    trust: Path
    """By which the server itself is known."""
    root: Path
    """By which what it gives is known."""
    log: Path


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def pebble(folder: Path, http_port: int, validity_s: int = 7_776_000) -> Iterator[Pebble]:
    """Started with an own account book; asks for proofs on ``http_port``. What it gives holds for ``validity_s``."""
    assert shutil.which("pebble"), "Debian's package pebble is missing: make debian"
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / "own"
    save_pair(open_authority(own, []).leaf(["localhost", "127.0.0.1"], present()), own / "p.crt", own / "p.key")
    port, management = free_port(), free_port()
    config = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(own / "p.crt"),
        "privateKey": str(own / "p.key"),
        "httpPort": http_port,
        "tlsPort": 1,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        "certificateValidityPeriod": validity_s,
    }
    (folder / "config.json").write_text(json.dumps({"pebble": config}))
    log = folder / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            ["pebble", "-strict", "-config", folder / "config.json"],
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},  # else some by chance
        )
    try:
        trust = ssl.create_default_context(cafile=own / "authority.crt")
        until = time.monotonic() + 60
        while True:
            try:
                answer = httpx.get(f"https://127.0.0.1:{management}/roots/0", verify=trust)
                break
            except httpx.TransportError:
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
        (folder / "root.pem").write_bytes(answer.content)
        directory = f"https://localhost:{port}/dir"
        yield Pebble(directory, own / "authority.crt", folder / "root.pem", log)
    finally:
        process.terminate()
        process.wait(30)
