"""Libraries of ways in are loaded by the first source that needs them: no program pays for those it does not have."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from wattstead.ingest.sources.late import Late

pytestmark = pytest.mark.unit
SCRIPT = """
import sys
before = set(sys.modules)
{said}
found = {{name.partition(".")[0] for name in set(sys.modules) - before}} - set(sys.stdlib_module_names)
print(*sorted(found if {wanted!r} == "all" else found & set({wanted!r}.split())))
"""
OF_WAYS = "asyncua gmqtt google nats pika pymodbus serial"


def loaded(said: str, wanted: str) -> list[str]:
    """The libraries that a program loads which does what is said."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(said=said, wanted=wanted)], capture_output=True, text=True, timeout=60
    )
    assert not ran.returncode, ran.stderr
    return ran.stdout.splitlines()[-1].split()


def test_the_table_loads_no_library_of_a_way() -> None:
    """Whatever a new row brings along is named here too, for no name of a library stands in this test."""
    found = loaded("import wattstead.ingest.sources.table", "all")
    assert set(found) - {"msgspec", "numpy", "typing_extensions", "wattstead"} == {
        name for name in found if name.startswith("_")
    }


@pytest.mark.parametrize(
    ("said", "of_ways"),
    [
        ("import wattstead.edge.running", f"{OF_WAYS} yaml"),
        ("import wattstead.app, wattstead.cli.serve", OF_WAYS),
        ("from typer.testing import CliRunner; from wattstead.cli import app; CliRunner().invoke(app, ['--help'])",
         f"{OF_WAYS} numpy yaml"),
    ],
    ids=["edge", "serve", "help"],
)  # fmt: skip
def test_a_program_without_sources_has_none_of_their_libraries(said: str, of_ways: str) -> None:
    assert loaded(said, of_ways) == []


def test_a_source_that_is_asked_for_finds_its_runner() -> None:
    """A name in the table that leads nowhere would be noticed by the first person with such a source."""
    said = """
import asyncio
from wattstead.ingest.sources.late import Late
from wattstead.ingest.sources.table import SOURCES
for row in SOURCES:
    for call in (row.run, row.look):
        assert not isinstance(call, Late) or callable(asyncio.run(call.load())), row.name
"""
    assert {"asyncua", "gmqtt", "pika"} <= set(loaded(said, OF_WAYS))


async def test_two_that_ask_at_once_both_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds the module in the making: the first is still loading its libraries."""
    name = "slowly_made"
    (tmp_path / f"{name}.py").write_text(
        f"import time, sys\nwhile not hasattr(sys.modules[{name!r}], 'go'):\n    time.sleep(0.001)\n"
        "async def answer():\n    return 7\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    first = asyncio.create_task(Late(name, "answer")())
    while name not in sys.modules:  # noqa: ASYNC110 - nobody tells when a module is being made
        await asyncio.sleep(0.001)
    second = asyncio.create_task(Late(name, "answer")())
    await asyncio.sleep(0.05)
    vars(sys.modules[name])["go"] = True
    assert await asyncio.gather(first, second) == [7, 7]
    del sys.modules[name]
