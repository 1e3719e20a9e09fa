"""Which tests go to which worker: those that look at one running demo go together, so that it runs once or twice.

All others go by their files. What a file looks at is read from its parameters, since the process that shares the work
out does not load the tests.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

_DEMOS = {
    "the demo below a prefix": r"\b(prefixed|behind_a_proxy)\b: ",
    "pages of the demo": r"\b(screen|as_role)\b: ",
    "clients of the demo": r"\b(product|bearer|eyes)\b: ",
}
"""The first whose expression a file of journeys holds."""


class BesideTheDemo(LoadFileScheduling):
    """By files, but for those of one demo."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self._root = config.rootpath
        self._known: dict[str, str] = {}

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        if file not in self._known:
            self._known[file] = together(self._root / file)
        return self._known[file]


def together(file: Path) -> str:
    """The name of what the tests of a file share with those of others; without anything, the file's own."""
    if "journeys" in file.parts:
        said = file.read_text()
        for name, wanted in _DEMOS.items():
            if re.search(wanted, said):
                return name
    return str(file)
