"""Pairs of certificate and key: what fits, what does not, and who can read what was written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from tests.certificates.conftest import NOW, written

from wattstead.certificates.errors import PairBroken
from wattstead.certificates.pair import read_pair, save_pair, stand_in

if TYPE_CHECKING:
    from tests.certificates.conftest import Key

pytestmark = pytest.mark.unit


def test_a_pair_in_two_files_or_in_one(tmp_path: Path, keys: tuple[Key, Key, Key]) -> None:
    for key in keys:
        certificate, secret = written(tmp_path, "a", key)
        both = tmp_path / "both.pem"
        both.write_bytes(secret.read_bytes() + certificate.read_bytes())
        for found in (read_pair(certificate, secret), read_pair(both, both)):
            assert found.names == {"localhost", "127.0.0.1"}
            assert found.own
            assert found.holds(NOW)
            assert not found.due(NOW)
            assert found.due(NOW + timedelta(days=20))
            assert not found.holds(NOW + timedelta(days=31))


def test_what_does_not_fit_is_named(tmp_path: Path, keys: tuple[Key, Key, Key]) -> None:
    certificate, secret = written(tmp_path, "a", keys[0])
    other, other_secret = written(tmp_path, "b", keys[2])
    closed = tmp_path / "closed.key"
    closed.write_bytes(keys[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    cut = tmp_path / "cut.crt"
    cut.write_bytes(certificate.read_bytes()[:200])
    for pair, reason in (
        ((certificate, other_secret), "not the one of the certificate"),
        ((other, secret), "not the one of the certificate"),
        ((certificate, closed), "passphrase"),
        ((cut, secret), "no certificate in PEM"),
        ((certificate, certificate), "no private key in PEM"),
        ((certificate, tmp_path / "none.key"), "none.key cannot be read"),
        ((tmp_path, secret), "cannot be read"),
    ):
        with pytest.raises(PairBroken, match=reason):
            read_pair(*pair)


def test_what_is_written_is_for_this_user_alone(tmp_path: Path) -> None:
    certificate, key = tmp_path / "tls" / "a.crt", tmp_path / "tls" / "a.key"
    key.parent.mkdir()
    key.write_text("older, and open to all")
    key.chmod(0o644)
    pair = stand_in(frozenset({"localhost"}))
    save_pair(pair, certificate, key)
    assert [path.stat().st_mode & 0o777 for path in (certificate, key)] == [0o600, 0o600]
    assert read_pair(certificate, key).key == pair.key
