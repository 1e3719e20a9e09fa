"""TLS of its own: the product as phones, meters and certificate tools meet it."""

from __future__ import annotations

import json
import os
import plistlib
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from playwright.sync_api import sync_playwright
from tests.certificates.conftest import ec_key, rsa_key, shown, written
from tests.chromium import FLAGS, WHOLE
from tests.conftest import serving as started
from tests.pebble import free_port, pebble

from wattstead.certificates import machine
from wattstead.certificates.authority import open_authority
from wattstead.certificates.live import present
from wattstead.certificates.pair import Pair, save_pair

EMAIL = "owner@localhost.localdomain"


@dataclass(frozen=True)
class Served:
    """A product that runs."""

    folder: Path
    password: str
    port: int
    http_port: int = 0
    plain_port: int = 0

    @property
    def authority(self) -> Path:
        return self.folder / "data/tls/authority.crt"

    def client(self, host: str = "localhost", trust: Path | None = None) -> httpx.Client:
        """A client that trusts that authority alone, by default the local one."""
        context = ssl.create_default_context(cafile=trust or self.authority)
        return httpx.Client(base_url=f"https://{host}:{self.port}", verify=context, timeout=60)

    @contextmanager
    def signed_in(self, trust: Path | None = None) -> Iterator[httpx.Client]:
        with self.client(trust=trust) as http:
            http.headers["X-Wattstead"] = "1"
            http.post("/api/v1/session", json={"email": EMAIL, "password": self.password}).raise_for_status()
            yield http

    def part(self, http: httpx.Client, name: str) -> dict[str, Any]:
        """One part of the status."""
        parts: list[dict[str, Any]] = http.get("/api/v1/status").raise_for_status().json()["parts"]
        return next(part for part in parts if part["name"] == name)


@contextmanager
def serving(folder: Path, *options: str, **settings: object) -> Iterator[Served]:
    """`wattstead serve` on free ports, and which they are."""
    variables = {f"WATTSTEAD_{name.upper()}": str(value) for name, value in settings.items()}
    with started(folder, *options, **variables) as said:
        found = {name: re.search(pattern, said) for name, pattern in _SAID.items()}
        assert found["port"] is not None, said
        ports = {name: int(one[1]) for name, one in found.items() if one is not None and name != "password"}
        yield Served(folder, found["password"][1] if found["password"] else "", **ports)


_SAID = {
    "password": r"password  (\S+)",
    "port": r"runs at https://\S+:(\d+)/",
    "http_port": r"trust it at http://\S+:(\d+)/trust",
    "plain_port": r"without TLS post to http://\S+:(\d+)/",
}


@pytest.fixture(scope="module")
def lan() -> str:
    """An address of this machine that others reach too."""
    found = sorted(str(one) for one in machine.addresses() if one.version == 4 and not one.is_loopback)
    assert found, "this machine has no address beside loopback: what others may do without TLS cannot be tried"
    return found[0]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With an authority of its own, on all addresses, as it is started in a home."""
    with serving(tmp_path_factory.mktemp("own"), "--host", "0.0.0.0", "--http-port", "0", "--plain-port", "0") as one:
        yield one


@pytest.fixture(scope="module")
def keys(own: Served) -> dict[bool, str]:
    """Write keys of one site: one that may be shown in the clear, and one that may not."""
    with own.signed_in() as http:
        root = http.get("/api/v1/organizations").raise_for_status().json()["rows"][0]["id"]
        answer = http.post("/api/v1/sites", json={"name": "Mill", "zone": "Europe/Paris", "organization_id": root})
        assert answer.is_success, answer.text
        site = answer.json()["site"]
        made = {}
        for plain in (True, False):
            body = {"site_id": site["id"], "scope": "write", "plain_http": plain}
            made[plain] = http.post("/api/v1/keys", json=body).raise_for_status().json()["secret"]
    return made


def test_clients_that_trust_the_authority_and_those_that_do_not(own: Served, lan: str) -> None:
    for name, host in (("localhost", "localhost"), (lan, lan)):
        check = "-verify_hostname" if machine.as_address(name) is None else "-verify_ip"
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"{host}:{own.port}", "-CAfile", own.authority, "-verify_return_error",
             check, name, "-brief"], input="", capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert "Verification: OK" in done.stdout + done.stderr
        with own.client(host) as http:
            answer = http.get("/")
            assert answer.status_code == 200
            assert "strict-transport-security" not in answer.headers, "it would shut people out of their own machine"
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"https://localhost:{own.port}/")


def test_the_session_cookie_stays_on_tls(own: Served) -> None:
    with own.signed_in() as http:
        cookie = next(iter(http.cookies.jar))
        assert cookie.secure
        part = own.part(http, "certificate")
        assert part["ok"]
        assert 395 < part["figures"]["days_left"] < 397


def test_what_comes_before_tls(own: Served, lan: str) -> None:
    plain = httpx.Client(base_url=f"http://{lan}:{own.http_port}", timeout=60)
    with plain as http:
        page = http.get("/trust", headers={"Accept-Language": "fr-FR,fr;q=0.9"})
        assert "Faire confiance à ce Wattstead" in page.text
        assert f"https://{lan}:{own.port}/" in page.text
        for link in re.findall(r'href="(trust/[^"]+)"', page.text):
            http.get(f"/{link}").raise_for_status()
        der = http.get("/trust/wattstead.crt").content
        assert x509.load_der_x509_certificate(der) == x509.load_pem_x509_certificate(own.authority.read_bytes())
        profile = plistlib.loads(http.get("/trust/wattstead.mobileconfig").content)
        assert profile["PayloadContent"][0]["PayloadContent"] == der
        for path in ("/", "/sites?tag=a%20b", "/api/v1/session", "/assets/x.js", "/trust/other", "/health"):
            moved = http.get(path)
            assert (moved.status_code, moved.headers["location"]) == (307, f"https://{lan}:{own.port}{path}")
        for host in ("evil.example/x", "a b", "x@y", ""):
            assert http.get("/", headers={"Host": host}).status_code in (400, 421)
        for path in ("/", "/sites", "/trust"):
            foreign = http.get(path, headers={"Host": "evil.example"})
            assert foreign.status_code == (200 if path == "/trust" else 421), path
            assert "evil.example" not in foreign.text and "location" not in foreign.headers
        for host in ("localhost", "LOCALHOST:80", "127.0.0.1"):
            moved = http.get("/sites", headers={"Host": host})
            assert moved.headers["location"] == f"https://{host.partition(':')[0]}:{own.port}/sites"
        for path in ("/api/v1/session", "/api/v1/readings", "/input/post"):
            assert http.post(path, json={}).status_code == 403
        told = own.client()
        assert told.get("/api/v1/trust").json()["address"].endswith(f":{own.http_port}/trust")
        assert told.get("/trust").status_code == 200
        told.close()


def test_readings_in_the_clear(own: Served, keys: dict[bool, str], lan: str) -> None:
    """As emonHub posts: a bulk of frames with the key in the body."""
    frames = {"data": "[[1700000000,5,100,200]]", "sentat": "1700000000"}
    with httpx.Client(base_url=f"http://{lan}:{own.plain_port}", timeout=60) as http:
        taken = http.post("/input/bulk.json", data={**frames, "apikey": keys[True]})
        assert (taken.status_code, taken.text) == (200, "ok")
        refused = http.post("/input/bulk.json", data={**frames, "apikey": keys[False]})
        assert refused.status_code == 403
        assert "use https" in refused.json()["message"]
        assert http.get("/input/post", params={"node": "n", "csv": "1", "apikey": keys[False]}).status_code == 403
        for path in ("/", "/trust", "/api/v1/session", "/api/v1/sites", "/feed/list.json", "/query"):
            assert http.get(path).status_code == 403
    for secret in keys.values():
        with own.client() as http:
            assert http.post("/input/bulk.json", data={**frames, "apikey": secret}).text == "ok"
        local = f"http://127.0.0.1:{own.plain_port}/input/bulk.json"
        assert httpx.post(local, data={**frames, "apikey": secret}).text == "ok"
    with own.signed_in() as http:
        part = own.part(http, "ingest")
        assert "came without TLS and may not" in part["text"]
        assert part["figures"]["keys_refused_without_tls"] == 1


def test_live_readings_over_tls(own: Served, keys: dict[bool, str], eventually: Any) -> None:
    bearer = {"Authorization": f"Bearer {keys[False]}"}
    with own.signed_in() as http:
        http.post("/api/v1/readings", json={"point": "a/live", "value": 1}, headers=bearer).raise_for_status()
        rows = eventually(lambda: http.get("/api/v1/points").json(), lambda rows: "a/live" in str(rows))
        point = next(row["id"] for row in rows if row["address"] == "a/live")
        with http.stream("GET", "/api/v1/live", params={"points": point}) as stream:
            lines = stream.iter_lines()
            assert any(line.startswith("event: readings") for line in lines)
            httpx.post(
                f"https://localhost:{own.port}/api/v1/readings", json={"point": "a/live", "value": 42}, headers=bearer,
                verify=ssl.create_default_context(cafile=own.authority),
            ).raise_for_status()  # fmt: skip
            told = (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
            assert any(42 in one["value"] for one in told), "perhaps together with the one before"


def test_a_browser_that_trusts_the_authority(own: Served, lan: str, tmp_path: Path, enter: Callable[..., None]) -> None:
    """The certificate is put into the browser's own store, as a person does; then the page is a secure place."""
    store = tmp_path / ".pki/nssdb"
    store.mkdir(parents=True)
    subprocess.run(["certutil", "-d", f"sql:{store}", "-N", "--empty-password"], check=True)
    subprocess.run(
        ["certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "own", "-i", own.authority], check=True
    )  # fmt: skip
    with sync_playwright() as play:
        window = play.chromium.launch_persistent_context(
            str(tmp_path / "profile"), executable_path=WHOLE, args=FLAGS, env={**os.environ, "HOME": str(tmp_path)}
        )
        page = window.new_page()
        for host in ("localhost", lan):
            page.goto(f"https://{host}:{own.port}/")
            page.wait_for_selector("main h1")
            assert page.evaluate("isSecureContext && 'PublicKeyCredential' in window && 'serviceWorker' in navigator")
        page.goto(f"http://{lan}:{own.http_port}/sites?x=1")
        page.wait_for_selector("main h1")
        assert page.url.startswith(f"https://{lan}:{own.port}/")
        enter(page, f"https://{lan}:{own.port}/", EMAIL, own.password)
        page.goto(f"https://{lan}:{own.port}/settings")
        page.wait_for_selector("[data-testid=trust] .qr")
        assert f":{own.http_port}/trust" in page.locator("[data-testid=trust]").inner_text()
        page.goto(f"http://{lan}:{own.http_port}/trust")
        assert page.locator("h1").inner_text()
        assert page.evaluate("getComputedStyle(document.body).maxWidth") != "none", "its style is let in"
        window.close()


def test_files_are_exchanged_under_traffic(tmp_path: Path, eventually: Callable[..., object]) -> None:
    held = tmp_path / "held.crt", tmp_path / "held.key"

    def put(pair: tuple[Path, Path]) -> None:
        for made, path in zip(pair, held, strict=True):
            made.replace(path)

    put(written(tmp_path, "first", rsa_key()))
    with serving(tmp_path, "--tls", "file", "--host", "127.0.0.1", tls_certificate=held[0], tls_key=held[1]) as one:
        lax = ssl.create_default_context()
        lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
        stop, answers, kept = threading.Event(), [0], httpx.Client(verify=lax, timeout=60)
        faults: list[str] = []

        def traffic() -> None:
            while not stop.wait(0.01):
                try:
                    for client in (kept, httpx.Client(verify=lax, timeout=60)):
                        client.get(f"https://127.0.0.1:{one.port}/health").raise_for_status()
                        answers[0] += 1
                    client.close()
                except httpx.HTTPError as error:
                    faults.append(repr(error))

        thread = threading.Thread(target=traffic)
        thread.start()
        try:
            before = shown(one.port)
            put(written(tmp_path, "second", ec_key()))
            eventually(lambda: shown(one.port) != before)
            second, served = shown(one.port), answers[0]
            held[1].write_text("half a key")
            base, own_page = f"https://127.0.0.1:{one.port}", {"X-Wattstead": "1"}
            with httpx.Client(base_url=base, verify=lax, headers=own_page) as http:
                http.post("/api/v1/session", json={"email": EMAIL, "password": one.password}).raise_for_status()
                part = eventually(lambda: one.part(http, "certificate"), lambda found: not found["ok"])  # type: ignore[index]
                assert "a newer one is not in use" in str(part)
                assert not http.get("/api/v1/status").json()["ok"]
                assert shown(one.port) == second
                check = subprocess.run(
                    [sys.executable, "-m", "wattstead", "check", "--data", tmp_path / "data", "--tls", "file"],
                    env={**os.environ, "WATTSTEAD_TLS_CERTIFICATE": str(held[0]), "WATTSTEAD_TLS_KEY": str(held[1])},
                    capture_output=True, text=True,
                )  # fmt: skip
                assert re.search(r"BAD  certificate +.*no private key in PEM", check.stdout), check.stdout
                folder = tmp_path / "another"
                leaf = open_authority(folder, []).leaf(["localhost", "127.0.0.1"], present())
                _save(leaf, held)
                eventually(lambda: one.part(http, "certificate")["ok"])
            strict = ssl.create_default_context(cafile=folder / "authority.crt")
            told = httpx.get(f"https://localhost:{one.port}/", verify=strict)
            assert "max-age" in told.headers["strict-transport-security"], "somebody else vouches for it"
            eventually(lambda: answers[0] > served + 20)
        finally:
            stop.set()
            thread.join()
            kept.close()
        assert faults == []


def reached(one: Served, trust: Path) -> httpx.Response | None:
    """The first page by a client that trusts that authority alone; None while the certificate does not hold."""
    with one.client(trust=trust) as http:
        try:
            return http.get("/").raise_for_status()
        except httpx.ConnectError:
            return None


def issuer_of(certificate: x509.Certificate) -> str:
    return certificate.issuer.rfc4514_string()


def _save(pair: Pair, held: tuple[Path, Path]) -> None:
    save_pair(pair, *held)


def test_a_certificate_from_an_authority_and_its_renewal(tmp_path: Path, eventually: Callable[..., object]) -> None:
    http_port = free_port()
    with pebble(tmp_path / "pebble", http_port, validity_s=20) as authority:
        settings = {"acme_directory": authority.directory, "acme_trust": authority.trust, "acme_email": "a@example.org"}
        with serving(
            tmp_path, "--tls", "acme", "--host", "127.0.0.1", "--http-port", str(http_port), tls_names="localhost",
            **settings,
        ) as one:  # fmt: skip
            issuer = eventually(lambda: issuer_of(shown(one.port)), lambda name: "Pebble" in str(name))
            told = eventually(lambda: reached(one, authority.root))
            assert "max-age" in told.headers["strict-transport-security"]  # type: ignore[attr-defined]
            first = shown(one.port)
            assert issuer_of(first) == issuer
            eventually(lambda: shown(one.port).serial_number != first.serial_number, patience_s=180)
            eventually(lambda: reached(one, authority.root))
            moved = httpx.get(f"http://localhost:{http_port}/sites")
            assert moved.headers["location"] == f"https://localhost:{one.port}/sites"
