"""On site there is neither Arrow nor the server's packages: every protocol still decodes, by the slower ways."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

SCRIPT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pyarrow", "uvicorn", "sqlalchemy", "litestar", "chdb"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from wattstead.ingest.http.app import IngestApp
from wattstead.ingest.influx.decode import LineDecoder
from wattstead.ingest.own.json_body import JsonDecoder
from wattstead.ingest.resolving.pointmap import PointMap
from wattstead.ingest.decoding.unpack import inflated
import gzip

columns = LineDecoder(1_000_000).decode(b"meter,id=7 power=1.5,on=t 5\\nmeter power=x\\n", "s", 0)
assert columns.value.tolist() == [1.5, 1.0] and columns.rejected.count == 1
assert len(JsonDecoder(1_000_000).decode(inflated(gzip.compress(b'{"point":"a","value":1}'), "gzip", 99), 0)) == 1
assert "pyarrow" not in sys.modules
print("fine")
"""


def test_decoding_without_arrow() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "fine\n", ran.stderr
