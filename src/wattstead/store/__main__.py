"""`python -m wattstead.store`: the store process on its own; see `serve` for what it does."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

import msgspec

from wattstead.store.errors import StoreError
from wattstead.store.limits import KEY_VARIABLE, StoreLimits
from wattstead.store.serve import serve


def main() -> int:
    """Parses the command line, serves, and puts a failure to start into one JSON line on standard output."""
    parser = argparse.ArgumentParser(
        prog="python -m wattstead.store", description="Serve one store folder on 127.0.0.1."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the store; made when it is missing")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--key-file", type=Path, help=f"file with the key of the user; without it {KEY_VARIABLE} has the key"
    )
    parser.add_argument("--backups", type=Path, help="folder that BACKUP and RESTORE may use (default: DATA/backups)")
    parser.add_argument("--limits", default="{}", help="JSON object of limits, see wattstead.store.limits")
    parser.add_argument("--follow-stdin", action="store_true", help="stop when standard input ends")
    given = parser.parse_args()
    os.environ["TZ"] = "UTC"
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    key = given.key_file.read_text().strip() if given.key_file else os.environ.pop(KEY_VARIABLE, "")
    if len(key) < 16:
        parser.error(f"a key of at least 16 characters is needed, in --key-file or {KEY_VARIABLE}")
    try:
        limits = msgspec.json.decode(given.limits, type=StoreLimits)
    except msgspec.MsgspecError as error:
        parser.error(f"--limits: {error}")
    backups = (given.backups or given.data / "backups").absolute()
    try:
        serve(given.data, given.port, key, limits, backups, given.follow_stdin)
    except (StoreError, OSError) as error:
        failure = {"failed": type(error).__name__, "message": str(error)}
        print(msgspec.json.encode(failure).decode(), flush=True)  # noqa: T201
        print(f"the store cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
