"""A server under measurement: started, waited for, its processor time and memory read from /proc, always stopped.

It counts the whole process tree; processes of others are never touched.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class StartFailed(Exception):
    """A server ended, or did not answer in time."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """A server and its children, started in a session of their own."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.command, self.log = list(command), log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(env or {})},
            )

    def wait_for(self, port: int, within_s: float = 60.0) -> None:
        """Until the port takes connections; raises `StartFailed` with the end of the log."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        self.stop()
        raise StartFailed(f"{' '.join(self.command)}\n{self.log.read_text(errors='replace')[-3000:]}")

    def cpu_s(self) -> float:
        """User and system seconds of all processes of the tree, those that have ended included."""
        return tree_cpu_s(self._process.pid)

    def children_cpu_s(self) -> float:
        """The part of `cpu_s` that processes below the first one spent: Wattstead's store."""
        return sum(sum(_stat(pid)[1]) for pid in _tree(self._process.pid)[1:]) / _TICKS_PER_S

    def resident_bytes(self) -> int:
        """Resident memory of all processes of the tree."""
        total = 0
        for pid in _tree(self._process.pid):
            with contextlib.suppress(OSError):
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
        return total

    def stop(self) -> None:
        """Ask to end, then end the whole session."""
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *ended: object) -> None:
        self.stop()


def tree_cpu_s(pid: int) -> float:
    """User and system seconds of a process and all that descend from it, those that have ended included."""
    return sum(sum(_stat(one)[1]) for one in _tree(pid)) / _TICKS_PER_S


def child(pid: int) -> int:
    """The first process that descends from it."""
    return _tree(pid)[1]


def _tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            children.setdefault(_stat(int(entry.name))[0], []).append(int(entry.name))
    tree, at = [pid], 0
    while at < len(tree):
        tree += children.get(tree[at], [])
        at += 1
    return tree


def _stat(pid: int) -> tuple[int, tuple[int, ...]]:
    """Parent, and ticks spent in user and system mode, by the process and by children it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, (0,)
    return int(fields[1]), tuple(int(field) for field in fields[11:15])


def folder_bytes(folder: Path) -> int:
    """Size of all files below a folder."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_blocks * 512 if path.is_file() else 0
    return total
