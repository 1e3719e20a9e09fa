"""The local authority: what clients accept of it, what it may not vouch for, and that it is never made anew unasked."""

from __future__ import annotations

import plistlib
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.certificates.conftest import connected, echoing, look, shown

from wattstead.certificates import machine
from wattstead.certificates.authority import Authority, open_authority
from wattstead.certificates.errors import AuthorityBroken
from wattstead.certificates.live import LiveCertificate, present
from wattstead.certificates.pair import Pair
from wattstead.certificates.sources import Local, reachable_as
from wattstead.certificates.trust import Trust
from wattstead.certificates.trust_words import WORDS

NAMES = frozenset({"localhost", "pi", "pi.local", "192.168.1.5", "fd00::5", "127.0.0.1"})


def verified(folder: Path, pair: Pair, *more: str) -> str:
    """What `openssl verify` says of a leaf, for a server."""
    leaf = folder / "leaf.pem"
    leaf.write_bytes(pair.chain)
    words = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", *more]
    done = subprocess.run([*words, "-CAfile", folder / "authority.crt", leaf], capture_output=True, text=True)
    return done.stdout + done.stderr


def test_its_leaf_is_accepted_for_every_name(tmp_path: Path) -> None:
    leaf = open_authority(tmp_path, NAMES).leaf(NAMES, present())
    assert leaf.names == NAMES
    assert leaf.ends - leaf.begins <= timedelta(days=397)
    for name in NAMES:
        kind = "-verify_hostname" if machine.as_address(name) is None else "-verify_ip"
        assert verified(tmp_path, leaf, kind, name).endswith(": OK\n")
    assert "mismatch" in verified(tmp_path, leaf, "-verify_hostname", "other.local")


class _Careless(Authority):
    """The authority's key in the hands of somebody who does not look at what it may vouch for."""

    def permits(self, name: str) -> bool:
        return True


@pytest.mark.parametrize("name", ["bank.example", "93.184.215.14", "2606:4700::1111"])
def test_a_stolen_key_is_no_key_to_the_internet(tmp_path: Path, name: str) -> None:
    own = open_authority(tmp_path, NAMES)
    assert not own.permits(name)
    assert own.leaf([name, "localhost"], present()).names == {"localhost"}
    stolen = _Careless(own.certificate, own._key).leaf([name], present())
    assert "permitted subtree violation" in verified(tmp_path, stolen)


def test_a_name_it_was_made_with_is_permitted(tmp_path: Path) -> None:
    own = open_authority(tmp_path, {*NAMES, "energy.example.org", "203.0.113.7"})
    leaf = own.leaf({"energy.example.org", "203.0.113.7", "203.0.113.8"}, present())
    assert leaf.names == {"energy.example.org", "203.0.113.7"}
    assert verified(tmp_path, leaf, "-verify_hostname", "energy.example.org").endswith(": OK\n")


def test_it_stays_the_same_and_is_not_replaced_in_silence(tmp_path: Path) -> None:
    first = open_authority(tmp_path, NAMES).fingerprint
    assert open_authority(tmp_path, NAMES).fingerprint == first
    assert (tmp_path / "authority.key").stat().st_mode & 0o777 == 0o600
    key = (tmp_path / "authority.key").read_bytes()
    for broken in (b"", b"nonsense", Pair.__doc__.encode() if Pair.__doc__ else b"x"):
        (tmp_path / "authority.key").write_bytes(broken)
        with pytest.raises(AuthorityBroken, match="bring its files back"):
            open_authority(tmp_path, NAMES)
    (tmp_path / "authority.key").unlink()
    with pytest.raises(AuthorityBroken, match="missing"):
        open_authority(tmp_path, NAMES)
    (tmp_path / "authority.key").write_bytes(key)
    assert open_authority(tmp_path, NAMES).fingerprint == first


def test_a_leaf_is_renewed_before_it_ends_and_when_the_network_changes(tmp_path: Path) -> None:
    authority, now, names = open_authority(tmp_path, NAMES), present(), {*NAMES}
    source = Local(tmp_path, authority, lambda: frozenset(names))
    moment = [now]
    live = LiveCertificate(source, lambda: moment[0])
    with echoing(live.context) as port, connected(port, tmp_path / "authority.crt") as line:
        first = shown(port)
        assert look(live)
        assert shown(port) == first
        names.add("192.168.7.7")
        assert look(live)
        second = shown(port)
        assert second != first
        moment[0] += timedelta(days=260)
        assert look(live)
        assert shown(port) == second
        moment[0] += timedelta(days=20)
        assert look(live)
        third = shown(port)
        assert third.not_valid_after_utc > moment[0] + timedelta(days=390)
        line.sendall(b"still here")
        assert line.recv(100) == b"still here"
    assert LiveCertificate(source, lambda: moment[0]).pair.leaf == third, "it is kept on the disk"
    (tmp_path / "server.crt").write_text("half a file")
    assert LiveCertificate(source, lambda: moment[0]).pair.leaf != third


def test_what_this_machine_is_called() -> None:
    found = reachable_as(frozenset({"more.example"}))
    assert found >= {"localhost", "127.0.0.1", "::1", "more.example"}
    assert all(machine.is_name(name) or machine.as_address(name) is not None for name in found)
    assert machine.neighbourly() in found


def test_the_papers_for_phones(tmp_path: Path) -> None:
    trust = Trust(open_authority(tmp_path, NAMES))
    crt, profile = (trust.paper(f"/trust/wattstead.{kind}", "", "") for kind in ("crt", "mobileconfig"))
    assert crt is not None
    assert profile is not None
    assert x509.load_der_x509_certificate(crt.body) == trust.authority.certificate
    pem = trust.paper("/trust/wattstead.pem", "", "")
    assert pem is not None
    assert x509.load_pem_x509_certificate(pem.body) == trust.authority.certificate
    read = plistlib.loads(profile.body)
    assert read["PayloadContent"][0]["PayloadType"] == "com.apple.security.root"
    assert read["PayloadContent"][0]["PayloadContent"] == trust.authority.certificate.public_bytes(Encoding.DER)
    again = Trust(open_authority(tmp_path, NAMES)).paper("/trust/wattstead.mobileconfig", "", "")
    assert again == profile, "a phone takes the profile it has for the same"
    for language, words in WORDS.items():
        page = trust.paper("/trust", language, 'https://pi.local/"><script>')
        assert page is not None
        text = page.body.decode()
        assert f'lang="{language}"' in text
        assert words.title in text
        assert trust.authority.fingerprint in text
        assert "<script" not in text
    assert trust.paper("/trust/other", "en", "") is None
    english = WORDS["en"]
    for words in WORDS.values():
        assert [len(part) for part in words if isinstance(part, tuple)] == [
            len(part) for part in english if isinstance(part, tuple)
        ]
        assert all(words)
