"""The limit of open files is raised where the system allows it."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.unit
def test_as_many_as_the_system_allows() -> None:
    code = (
        "import resource as r; soft, hard = r.getrlimit(r.RLIMIT_NOFILE); r.setrlimit(r.RLIMIT_NOFILE, (512, hard));"
        "from wattstead.store.open_files import allow_open_files; allow_open_files();"
        "soft, hard = r.getrlimit(r.RLIMIT_NOFILE);"
        "assert soft == (65_536 if hard == r.RLIM_INFINITY else min(hard, 65_536)), (soft, hard)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
