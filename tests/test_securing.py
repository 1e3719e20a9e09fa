"""What the settings ask for: which kind of TLS, which ports, and what is refused before anything is started."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from wattstead.certificates.authority import open_authority
from wattstead.certificates.errors import PairBroken, SettingMissing
from wattstead.certificates.live import present
from wattstead.certificates.pair import save_pair
from wattstead.listening import NotWithoutTls, PortTaken, open_ports
from wattstead.securing import secure, standing, wanted_names
from wattstead.settings import Settings

pytestmark = pytest.mark.unit


def test_which_kind_is_meant() -> None:
    assert Settings().tls_mode == "off"
    assert Settings(host="::1").tls_mode == "off"
    assert Settings(host="192.168.1.5").tls_mode == "auto"
    assert Settings(host="0.0.0.0").tls_mode == "auto"
    assert Settings(host="0.0.0.0", trust_forwarded=True).tls_mode == "off"
    assert Settings(tls="auto").tls_mode == "auto"


def test_which_ports_are_opened() -> None:
    assert Settings().http_port_beside(8086) is None
    assert Settings(tls="auto").http_port_beside(8086) == 8087
    assert Settings(tls="acme").http_port_beside(443) == 80
    assert Settings(tls="file").http_port_beside(443) is None
    assert Settings(tls="auto", http_port=8000).http_port_beside(8086) == 8000
    with open_ports(Settings(port=0, tls="auto", plain_port=0)) as ports:
        assert ports.url == ports.own_url == f"https://127.0.0.1:{ports.number}"
        assert None not in (ports.http, ports.plain)
        ports.main.listen()
        with (
            pytest.raises(PortTaken, match="choose another with --plain-port"),
            open_ports(Settings(port=0, plain_port=ports.number)),
        ):
            pass
    with open_ports(Settings(port=0)) as ports:
        assert ports.url.startswith("http://")
        assert (ports.http, ports.plain) == (None, None)


def test_what_is_refused() -> None:
    with (
        pytest.raises(NotWithoutTls, match="would be read by others"),
        open_ports(Settings(host="0.0.0.0", port=0, tls="off")),
    ):
        pass
    for kind, reason in (("file", "needs tls_certificate"), ("acme", "needs tls_names")):
        with pytest.raises(SettingMissing, match=reason):
            secure(Settings(tls=kind))
    with pytest.raises(SettingMissing, match="no name of a host"):
        wanted_names(Settings(tls_names="fine.example, *.wild.example"))
    asked = Settings(tls_names="A.example,192.168.1.5", public_url="https://b.example:444/energy")
    assert wanted_names(asked) == ("a.example", "192.168.1.5", "b.example")


def test_what_is_said_of_the_certificate_on_the_disk(tmp_path: Path) -> None:
    own = Settings(folder=tmp_path, tls="auto")
    assert standing(own) == (True, "none yet; the local authority is made at the first start")
    made = secure(own)
    assert made is not None
    assert made.trust is not None
    well, text = standing(own)
    assert well
    assert made.trust.authority.fingerprint in text
    assert made.part().ok
    well, text = standing(own, present() + timedelta(days=400))
    assert not well
    assert "clients refuse it" in text
    public = Settings(folder=tmp_path, tls="auto", tls_names="energy.example.org")
    for told in (standing(public), (part := secure(public).part()) and (part.ok, part.text)):  # type: ignore[union-attr]
        assert not told[0]
        assert "may not vouch for energy.example.org" in told[1]


def test_files_that_should_have_been_renewed(tmp_path: Path) -> None:
    certificate, key = tmp_path / "a.crt", tmp_path / "a.key"
    files = Settings(folder=tmp_path, tls="file", tls_certificate=certificate, tls_key=key)
    with pytest.raises(PairBroken, match="cannot be read"):
        standing(files)
    save_pair(open_authority(tmp_path / "ca", []).leaf(["localhost"], present()), certificate, key)
    assert standing(files)[0]
    assert "renewed" in standing(files, present() + timedelta(days=350))[1]
    assert standing(Settings(folder=tmp_path, tls="acme", tls_names="a.example"))[1].startswith(
        "none yet from https://"
    )
