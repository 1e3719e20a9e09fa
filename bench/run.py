"""``make bench``: all benchmarks, or those named, side by side with peers; tables go to docs/benchmarks.md.

``python bench/run.py [journal] [posts] [burst] [ingest] [batches] [answers] [rights] [directory] [modbus] [opcua]
[edge] [floor] [soak] [--seconds 60]``, with ``--quick`` for a tenth of each.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "bench")]

import answers  # noqa: E402
import directory  # noqa: E402
import edge  # noqa: E402
import floor  # noqa: E402
import ingest  # noqa: E402
import journal  # noqa: E402
import modbus  # noqa: E402
import opcua  # noqa: E402
import posts  # noqa: E402
import queues  # noqa: E402
import rights  # noqa: E402
import soak  # noqa: E402
from report import Table, put  # noqa: E402

NAMES = (
    *("journal", "posts", "burst", "ingest", "batches", "answers", "rights", "directory", "modbus", "opcua"),
    *("mqtt", "amqp", "edge", "floor", "soak"),
)


def main() -> None:
    """Run what is asked for; each table is written as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="how long each server is loaded with line protocol")
    parser.add_argument("--without-peers", action="store_true", help="leave VictoriaMetrics and InfluxDB out")
    parser.add_argument("--servers", default="", help=f"only these for ingest: {','.join(ingest.SERVERS)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything; writes no page")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md")
    parser.add_argument("--held", type=Path, help="a folder that keeps what answers has filled, for the next time")
    asked = parser.parse_args()
    seconds = 6 if asked.quick else asked.seconds
    peers = not asked.without_peers
    servers = (
        asked.servers.split(",") if asked.servers else [n for n in ingest.SERVERS if peers or n in ("door", "whole")]
    )
    with tempfile.TemporaryDirectory(prefix="wattstead-bench-", dir="/var/tmp") as top:
        Path(top).chmod(0o755)  # a database server that runs as somebody else finds its own folder below

        def place(name: str) -> Path:
            folder = Path(top, name)
            folder.mkdir()
            return folder

        benches: dict[str, Callable[[], Table | list[Table]]] = {
            "journal": lambda: journal.bench(place("journal"), asked.quick),
            "posts": lambda: posts.bench_kept(place("posts"), peers, 5_000 if asked.quick else 50_000),
            "burst": lambda: posts.bench_burst(place("burst"), "whole" in servers),
            "ingest": lambda: ingest.bench(place("ingest"), servers, seconds),
            "batches": lambda: ingest.bench_batches(place("batches"), [n for n in servers if n != "whole"], seconds),
            "answers": lambda: answers.bench(place("answers"), peers, 10 if asked.quick else 1, asked.held),
            "rights": lambda: rights.bench(place("rights"), 10 if asked.quick else 1),
            "mqtt": lambda: queues.bench_mqtt(place("mqtt"), asked.quick, peers),
            "amqp": lambda: queues.bench_amqp(place("amqp"), asked.quick),
            "directory": lambda: directory.bench(place("directory"), 10 if asked.quick else 1),
            "modbus": lambda: modbus.bench(place("modbus"), seconds),
            "opcua": lambda: opcua.bench(place("opcua"), seconds),
            "edge": lambda: edge.bench(place("edge"), edge.DAY_S // 24 if asked.quick else edge.DAY_S),
            "floor": lambda: floor.bench(place("floor"), seconds),
            "soak": lambda: soak.bench(place("soak"), 60 if asked.quick else 1800),
        }
        for name in asked.names or NAMES:
            print(f"{name} …", flush=True)
            found = benches[name]()
            for table in found if isinstance(found, list) else [found]:
                print(table.markdown() + "\n", flush=True)
                if not asked.quick:
                    put(asked.page, table)


if __name__ == "__main__":
    main()
