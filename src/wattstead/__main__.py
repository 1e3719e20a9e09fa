"""The command line, as ``wattstead`` and as ``python -m wattstead``; on site it has the verb ``edge`` alone."""

import contextlib
import ctypes
import os
import sys

_M_ARENA_MAX = -8
"""glibc's name for how many heaps threads may have, in malloc.h."""
_BROUGHT_BY_SERVER = ("typer", "pydantic_settings")


def main() -> None:
    """Run the command line, with memory that is given back; on site, ``wattstead[edge]``, that of an edge alone."""
    _with_few_heaps()
    if sys.argv[1:2] == ["edge"]:
        from wattstead.edge.commands import main as edge  # noqa: PLC0415 - the others need not be loaded

        sys.exit(edge(sys.argv[2:]))
    try:
        from wattstead.cli import main as command_line  # noqa: PLC0415 - it may not be there
    except ModuleNotFoundError as missing:
        if missing.name not in _BROUGHT_BY_SERVER:
            raise
        sys.exit(
            "wattstead: this installation is for a machine on site and has the verb `edge` alone; "
            "`pip install 'wattstead[server]'` brings the others"
        )
    command_line()


def _with_few_heaps() -> None:
    """Two heaps for all threads, and one allocator for columns and everything else.

    By default each thread fills a heap of its own and Arrow one more, and what bursts have used stays with them: a
    third of the server's memory. To be called before there are threads, and before Arrow is imported.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    with contextlib.suppress(OSError, AttributeError):  # another C library, which has no such heaps
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


if __name__ == "__main__":
    main()
