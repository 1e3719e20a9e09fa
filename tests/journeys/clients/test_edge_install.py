"""The package as it is installed on site: small, without store and web, and able to receive and keep readings."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIMIT_BYTES = 120_000_000
ABSENT = (
    "chdb", "litestar", "uvicorn", "uvloop", "sqlalchemy", "alembic", "pyarrow", "clickhouse_connect", "openpyxl",
    "typer", "rich", "pydantic", "asyncua", "pymodbus", "yaml", "pika", "nats", "google",
)  # fmt: skip
PRESENT = (
    "wattstead.metering.batch",
    "wattstead.metering.calendar",
    "wattstead.metering.step",
    "wattstead.stream",
    "wattstead.stream.reader",
    "wattstead.ingest.http.app",
    "wattstead.ingest.emoncms.post",
    "wattstead.ingest.emoncms.bulk",
    "wattstead.ingest.emoncms.sealed",
    "wattstead.ingest.influx.decode",
    "wattstead.ingest.modbus.row",
    "wattstead.ingest.own.json_body",
    "wattstead.ingest.resolving.resolver",
)

ON_SITE = """
import asyncio, sys
from pathlib import Path
import numpy as np
from wattstead.ingest.emoncms import bulk
from wattstead.ingest.influx.decode import LineDecoder
from wattstead.ingest.own.json_body import JsonDecoder
from wattstead.metering.batch import ReadingBatch
from wattstead.stream import Journal, JournalLimits, JournalReader

NOW_US = 1_700_000_000_000_000
influx = LineDecoder(1_000_000)
found = [
    bulk.decode({"time": "100"}, '[[0,"hp",1137,2]]', NOW_US),
    influx.decode(b'meter,id=1 power=1.5,on=true 5\\nmeter,id=2 note="x y",power=2i 6\\n', "s", NOW_US),
    influx.decode(b"meter,id=1 power=1 5\\nmeter,id=2 power=oops 6\\n", "s", NOW_US),
    JsonDecoder(1_000_000).decode(b'{"point":["a"],"time":[1],"value":[3]}', NOW_US),
]
assert [len(one.value) for one in found] == [2, 3, 1, 1]

async def keep(folder):
    journal = Journal.open(folder, 0, JournalLimits())
    for one in found:
        await journal.append(ReadingBatch.of(np.ones(len(one.value), np.uint32), one.time_us, one.value))
    await journal.close()

asyncio.run(keep(Path(sys.argv[1])))
reader = JournalReader(Path(sys.argv[1]))
assert sum(len(entry.batch) for entry in reader.read(1_000_000)) == 7
from wattstead.ingest.modbus.layout import decode
from wattstead.ingest.modbus.settings import ModbusSettings
import msgspec
from wattstead.ingest.sources.source_protocol import Message

registers = [{"name": "voltage", "unit": "V", "table": "input", "at": 0, "form": "float32"}]
device = {"unit_id": 1, "prefix": "eastron-sdm120/", "registers": registers}
meter = msgspec.convert({"host": "h", "devices": [device]}, ModbusSettings)  # as the server writes templates out
columns = decode(Message(bytes.fromhex("43663333"), "unit 1 input 0+2", NOW_US), meter)
assert columns.names.address(0) == "eastron-sdm120/voltage" and columns.units == ["V"]
print("kept")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment with the wheel and what the edge needs, each as locked."""
    folder = tmp_path_factory.mktemp("edge")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    built = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    ran(built, {"WATTSTEAD_SKIP_FRONTEND": "1"})
    (wheel,) = folder.glob("wattstead-*.whl")
    venv.create(folder / "venv", with_pip=False)
    into = [*pip, "--python", str(folder / "venv/bin/python"), "install", "--compile"]
    ran([*into, "--require-hashes", "-r", str(ROOT / "requirements/edge.txt")])
    ran([*into, "--no-deps", str(wheel)])
    return folder / "venv"


def ran(words: list[str], more: dict[str, str] | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PIP_CONSTRAINT")}
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, env=environment | (more or {}), cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_small(site: Path) -> None:
    """What the packages bring, and the bytecode of all of it."""
    sizes = {
        part.name: sum(file.stat().st_blocks * 512 for file in [part, *part.rglob("*")])
        for part in site.glob("lib/python3*/site-packages/*")
    }
    largest = sorted(sizes.items(), key=lambda one: -one[1])[:6]
    shown = f"{sum(sizes.values()) / 1e6:.0f} MB: " + ", ".join(f"{name} {size / 1e6:.0f}" for name, size in largest)
    assert sum(sizes.values()) <= LIMIT_BYTES, shown


def test_what_a_site_has_and_has_not(site: Path) -> None:
    python = str(site / "bin/python")
    script = (
        "import importlib.util as u, sys\n"
        "def there(name):\n"
        "    return u.find_spec(name.split('.')[0]) is not None\n"
        "print(*(name for name in sys.argv[1].split(',') if there(name)))\n"
        "for name in sys.argv[2].split(','): __import__(name)\n"
    )
    assert ran([python, "-c", script, ",".join(ABSENT), ",".join(PRESENT)]).split() == []


def test_it_decodes_and_keeps(site: Path, tmp_path: Path) -> None:
    assert ran([str(site / "bin/python"), "-c", ON_SITE, str(tmp_path / "journal")]).endswith("kept\n")


def test_the_command_says_what_is_missing(site: Path) -> None:
    done = subprocess.run([str(site / "bin/wattstead"), "--help"], capture_output=True, text=True, timeout=60, cwd="/")
    assert done.returncode == 1
    assert "pip install 'wattstead[server]'" in done.stderr
    assert "Traceback" not in done.stderr
