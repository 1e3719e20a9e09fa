"""A site with more points than one answer lists: the command line sees every one of them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wattstead.cli.client import Client
from wattstead.metering.batch import ReadingBatch
from wattstead.registry.records import PointDeclaration

MANY = 2_500


@pytest.fixture(scope="module")
def wide(open_house: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A house whose barn has many points, the last of which has two readings."""

    def furnish(house: Any) -> None:
        house.furnish()
        declared = [PointDeclaration(address=f"stall/{n}", name=f"Stall {n}") for n in range(MANY)]
        house.points["last"] = house.registry.create_points(house.barn, declared)[-1]

    with open_house(tmp_path_factory.mktemp("wide"), furnish) as house:
        at_us = house.start_s * 1_000_000
        house.series.append([ReadingBatch.of([house.points["last"]] * 2, [at_us, at_us + 60_000_000], [7.0, 8.5])])
        yield house


@pytest.fixture
def asked(wide: Any, tmp_path: Path) -> tuple[str, ...]:
    """The words that lead a verb to the barn."""
    return ("--url", wide.url, "--read-key", wide.barn_read, "--data", str(tmp_path))


def test_a_point_beyond_the_first_thousand_is_exported(
    asked: tuple[str, ...], verb: Callable[..., str], tmp_path: Path
) -> None:
    said = verb("export", tmp_path / "last.csv", "--point", f"stall/{MANY - 1}", *asked)
    assert "2 readings of 1 point\n" in said
    rows = list(csv.reader((tmp_path / "last.csv").open()))
    assert [row[1:3] for row in rows[1:]] == [[f"stall/{MANY - 1}", "7.0"], [f"stall/{MANY - 1}", "8.5"]]


def test_every_point_is_listed_once(wide: Any) -> None:
    client = Client(wide.url, read_key=wide.barn_read)
    found = [row["id"] for row in client.points()]
    client.close()
    assert len(found) == MANY + 1
    assert found == sorted(set(found))


def test_what_is_stored_is_repeated_whichever_point_it_is(
    wide: Any, asked: tuple[str, ...], verb: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "again.csv"
    file.write_text(f"time,stall/{MANY - 1}\n2026-03-01T00:00Z,7\n2026-03-01T00:01Z,8.5\n")
    said = verb("import", file, "--key", wide.write, *asked)
    assert [line.split()[:2] for line in said.splitlines() if "repeated" in line] == [["repeated", "2"]]
