"""The command line, as ``wattstead`` and as ``python -m wattstead``; says so where it is not installed."""

import contextlib
import ctypes
import os
import sys

_M_ARENA_MAX = -8
"""glibc's name for how many heaps threads may have, in malloc.h."""
_BROUGHT_BY_SERVER = ("typer", "pydantic_settings")


def main() -> None:
    """Run the command line, with memory that is given back; an installation on site, ``wattstead[edge]``, has none."""
    _with_few_heaps()
    try:
        from wattstead.cli import main as command_line  # noqa: PLC0415 - it may not be there
    except ModuleNotFoundError as missing:
        if missing.name not in _BROUGHT_BY_SERVER:
            raise
        sys.exit(
            "wattstead: this installation receives and keeps readings and has no command line; "
            "`pip install 'wattstead[server]'` brings it"
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
