"""The fleet of these tests, one a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.web.places.fleet import Fleet


@pytest.fixture(scope="module")
def fleet(open_office: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with open_office(folder, photos=folder / "photos") as office:
        found = Fleet(office)
        yield found
        for client in (found.owner, found.partner, found.rival, found.user):
            client.close()
