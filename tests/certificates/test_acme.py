"""Certificates of an authority that speaks RFC 8555, against a real one."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.certificates.conftest import echoing, look, shown
from tests.pebble import Pebble, pebble

from wattstead.certificates.acme import Acme, Order
from wattstead.certificates.challenges import Challenges
from wattstead.certificates.errors import IssueFailed
from wattstead.certificates.live import LiveCertificate, present


@contextmanager
def answering(challenges: Challenges) -> Iterator[int]:
    """Port 80 of the names, as the authority reaches it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = challenges.get(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def proofs() -> Challenges:
    return Challenges()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory, proofs: Challenges) -> Iterator[Pebble]:
    with answering(proofs) as port, pebble(tmp_path_factory.mktemp("pebble"), port) as running:
        yield running


def order(of: Pebble, *names: str) -> Order:
    return Order(directory=of.directory, names=names, email="admin@example.org", trust=str(of.trust))


def test_a_first_certificate_its_renewal_and_the_account(tmp_path: Path, authority: Pebble, proofs: Challenges) -> None:
    moment = [present()]
    source = Acme(tmp_path, order(authority, "localhost", "127.0.0.1"), proofs)
    live = LiveCertificate(source, lambda: moment[0])
    assert live.pair.own
    assert not live.public
    assert source.wait_s(live.pair, 0, moment[0]) == 0
    with echoing(live.context) as port:
        assert look(live), live.trouble
        first = shown(port)
        assert live.pair.names == {"localhost", "127.0.0.1"}
        assert live.public
        account = json.loads((tmp_path / "account.json").read_text())
        assert look(live)
        assert shown(port) == first
        assert 0 < source.wait_s(live.pair, 0, moment[0]) <= 3_600
        moment[0] += timedelta(days=61)
        assert source.wait_s(live.pair, 0, moment[0]) == 120, "just given and due already: a wrong clock"
        assert look(live), live.trouble
        assert shown(port) != first
    assert json.loads((tmp_path / "account.json").read_text()) == account
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    again = LiveCertificate(Acme(tmp_path, order(authority, "localhost", "127.0.0.1"), proofs))
    assert again.pair.leaf == live.pair.leaf, "it is kept on the disk"
    done = subprocess.run(
        ["openssl", "verify", "-CAfile", authority.root, "-untrusted", tmp_path / "server.crt",
         "-verify_hostname", "localhost", tmp_path / "server.crt"], capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.endswith(": OK\n"), done.stderr


def test_an_account_is_found_again_by_its_key(tmp_path: Path, authority: Pebble, proofs: Challenges) -> None:
    source = Acme(tmp_path, order(authority, "localhost"), proofs)
    assert source.newer(source.first(present()), present()) is not None
    account = (tmp_path / "account.json").read_bytes()
    (tmp_path / "account.json").unlink()
    (tmp_path / "server.crt").unlink()
    assert source.newer(source.first(present()), present()) is not None
    assert (tmp_path / "account.json").read_bytes() == account


def test_names_that_are_wanted_anew(tmp_path: Path, authority: Pebble, proofs: Challenges) -> None:
    held = Acme(tmp_path, order(authority, "localhost"), proofs).newer(
        (fresh := Acme(tmp_path, order(authority, "localhost"), proofs)).first(present()), present()
    )
    assert held is not None
    assert fresh.newer(held, present()) is None
    more = Acme(tmp_path, order(authority, "localhost", "127.0.0.1"), proofs)
    found = more.newer(more.first(present()), present())
    assert found is not None
    assert found.names == {"localhost", "127.0.0.1"}


def test_failures_are_told_and_asked_again_ever_more_seldom(
    tmp_path: Path, authority: Pebble, proofs: Challenges
) -> None:
    unreachable = Acme(tmp_path / "a", order(authority, "localhost"), Challenges())
    with pytest.raises(IssueFailed, match="gave no certificate for localhost: localhost: "):
        unreachable.newer(unreachable.first(present()), present())
    nobody = Acme(tmp_path / "b", Order(directory="https://127.0.0.1:9/dir", names=("localhost",)), proofs)
    live = LiveCertificate(nobody)
    assert not look(live)
    assert "https://127.0.0.1:9/dir gave no certificate" in live.text
    strangers = Acme(tmp_path / "c", Order(directory=authority.directory, names=("localhost",)), proofs)
    with pytest.raises(IssueFailed, match="SSLError"):
        strangers.newer(strangers.first(present()), present())
    waits = [nobody.wait_s(live.pair, failures, present()) for failures in range(1, 40)]
    assert waits[:4] == [120, 240, 480, 960]
    assert waits == sorted(waits)
    assert waits[-1] == 43_200
