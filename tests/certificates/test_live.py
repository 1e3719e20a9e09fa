"""A certificate is exchanged while connections go on; a broken one is not taken."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from tests.certificates.conftest import NOW, connected, echoing, look, shown, written

from wattstead.certificates.errors import PairBroken
from wattstead.certificates.live import LiveCertificate
from wattstead.certificates.pair import Pair
from wattstead.certificates.sources import Files

if TYPE_CHECKING:
    from tests.certificates.conftest import Key


def named(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


class Held:
    """The two files that somebody else looks after."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate, self.key = folder / "held.crt", folder / "held.key"

    def put(self, name: str, key: Key, days: float = 30) -> None:
        for made, held in zip(written(self.folder, name, key, days), (self.certificate, self.key), strict=True):
            made.replace(held)


def test_files_that_change(tmp_path: Path, keys: tuple[Key, Key, Key]) -> None:
    held = Held(tmp_path)
    held.put("first", keys[2])
    live = LiveCertificate(Files(held.certificate, held.key))
    with echoing(live.context) as port, connected(port) as line:
        assert named(shown(port)) == "first"
        held.put("second", keys[0])  # another kind of key
        assert look(live)
        assert {named(shown(port)) for _ in range(3)} == {"second"}
        kept = [shutil.copy2(path, tmp_path / f"kept{path.suffix}") for path in (held.certificate, held.key)]
        for spoil in (
            lambda: written(tmp_path, "third", keys[2])[0].replace(held.certificate),
            lambda: held.certificate.write_text("nonsense"),
            held.certificate.unlink,
        ):
            spoil()
            for _ in range(2):
                assert not look(live)
            assert not live.well
            assert "a newer one is not in use" in live.text
            assert named(shown(port)) == "second"
        for copy, path in zip(kept, (held.certificate, held.key), strict=True):
            copy.replace(path)
        assert look(live)
        assert live.well
        held.put("ended", keys[1], days=-0.5)
        assert not look(live)
        assert named(shown(port)) == "second"
        held.put("fourth", keys[1])
        assert look(live)
        assert named(shown(port)) == "fourth"
        line.sendall(b"still here")
        assert line.recv(100) == b"still here"
        assert live.public is False, "it vouches for itself"


def test_a_start_with_broken_files_is_none_and_with_ended_ones_is_told(
    tmp_path: Path, keys: tuple[Key, Key, Key]
) -> None:
    held = Held(tmp_path)
    with pytest.raises(PairBroken, match="cannot be read"):
        LiveCertificate(Files(held.certificate, held.key))
    held.put("ended", keys[0], days=1)
    live = LiveCertificate(Files(held.certificate, held.key), lambda: NOW + timedelta(days=2))
    assert not live.well
    assert "clients refuse it" in live.text


class _DiskFull(Files):
    def newer(self, held: Pair, now: datetime) -> Pair | None:
        raise OSError(28, "No space left on device")


def test_whatever_fails_the_pair_stays(tmp_path: Path, keys: tuple[Key, Key, Key]) -> None:
    held = Held(tmp_path)
    held.put("first", keys[0])
    live = LiveCertificate(_DiskFull(held.certificate, held.key))
    assert not look(live)
    assert "No space left" in live.text
    assert live.pair.holds(NOW)


def test_old_protocols_are_not_spoken(tmp_path: Path, keys: tuple[Key, Key, Key]) -> None:
    held = Held(tmp_path)
    held.put("first", keys[0])
    live = LiveCertificate(Files(held.certificate, held.key))
    with echoing(live.context) as port, connected(port) as line:
        assert line.version() == "TLSv1.3"
    assert live.context.minimum_version >= 0x0303
