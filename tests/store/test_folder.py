"""The folder's lock and the engine's configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from wattstead.store.errors import FolderTaken
from wattstead.store.folder import StoreFolder, configuration
from wattstead.store.limits import StoreLimits

pytestmark = pytest.mark.unit


def test_a_folder_is_opened_once(tmp_path: Path) -> None:
    with StoreFolder(tmp_path / "store"):
        with pytest.raises(FolderTaken) as caught:
            StoreFolder(tmp_path / "store")
        assert caught.value.holder_pid == os.getpid()
        assert str(tmp_path / "store") in str(caught.value)
    StoreFolder(tmp_path / "store").close()


def test_the_lock_of_a_process_that_died_is_no_lock(tmp_path: Path) -> None:
    holding = (
        "import os, sys; from pathlib import Path; from wattstead.store.folder import StoreFolder;"
        "folder = StoreFolder(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", holding, str(tmp_path / "store")])
    assert ended.returncode == -9
    assert (tmp_path / "store" / "lock").read_text().isdigit()
    StoreFolder(tmp_path / "store").close()


def test_the_configuration_is_durable_whatever_the_names(tmp_path: Path) -> None:
    backups = tmp_path / "a <b> & 'c' ü"
    tree = ElementTree.fromstring(configuration(StoreLimits(memory_bytes=123), backups))
    assert tree.findtext("backups/allowed_path") == str(backups)
    assert tree.findtext("max_server_memory_usage") == "123"
    for name in ("fsync_after_insert", "fsync_part_directory", "min_rows_to_fsync_after_merge",
                 "min_compressed_bytes_to_fsync_after_merge"):  # fmt: skip
        assert tree.findtext(f"merge_tree/{name}") == "1"


def test_importing_the_supervisor_does_not_load_the_engine() -> None:
    """A process that has loaded the engine must not fork; the server only ever imports the supervisor."""
    asked = "import sys, wattstead.store.supervise; sys.exit('chdb' in sys.modules or 'chdb._chdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked]).returncode == 0
