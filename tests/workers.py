"""Which tests go to which worker: those that look at one running demo go together, so that it runs once or twice,
and so do those of what else takes long to start.

All others go by their files. What a file looks at is read from its parameters, since the process that shares the work
out does not load the tests. Each worker loads all of them, in an order of its own.
"""

from __future__ import annotations

import functools
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
_BROKER = {"one RabbitMQ": r"\brabbitmq: "}
"""The same for all other files; it takes six seconds to start."""


class BesideTheDemo(LoadFileScheduling):
    """By files, but for those of one demo."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self._root = config.rootpath

    def _split_scope(self, nodeid: str) -> str:
        return together(self._root / nodeid.split("::", 1)[0])


@functools.cache
def together(file: Path) -> str:
    """The name of what the tests of a file share with those of others; without anything, the file's own."""
    said = file.read_text()
    for name, wanted in (_DEMOS if "journeys" in file.parts else _BROKER).items():
        if re.search(wanted, said):
            return name
    return str(file)


def begin_elsewhere(config: pytest.Config) -> None:
    """Have a worker load the tests from another folder on than the others do; the order in which they run is the same.

    In a new clone each file has its assertions rewritten, which takes as long as all else about loading it: so one
    worker does it, and the others, when they come there, find it done.
    """
    told = getattr(config, "workerinput", None)
    if told is None or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    folder = config.rootpath / "tests"
    parts = sorted(str(part) for part in folder.iterdir() if part.is_dir() or part.name.startswith("test_"))
    begin = len(parts) * int(told["workerid"].removeprefix("gw")) // told["workercount"]
    config.args = parts[begin:] + parts[:begin]
