"""Signing in at an OpenID Connect provider: a real small one on this machine, and whatever it may say wrongly."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from wattstead.web.settings import OidcProvider

PASSWORD = "correct horse battery"
CLIENT, SECRET = "wattstead", "shared secret"


class Provider:
    """An identity provider: signs whatever claims a test wants for the person who comes."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.signing: Any = self.key
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.person: dict[str, Any] = {}
        self.spoiled: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.used: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def as_usual(self, **person: Any) -> None:
        """Sign rightly, for this person."""
        self.signing, self.spoiled, self.person = self.key, {}, person
        self.header = {"alg": "RS256", "kid": self.key.kid}

    def leave(self, address: str) -> str:
        """What the browser of somebody who signs in here is told to open next."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT and asked["code_challenge_method"] == "S256"
        assert asked["response_type"] == "code" and "openid" in asked["scope"].split()
        code = secrets.token_urlsafe()
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The answer to a code; None when the asker is not who was given it."""
        asked = self.codes.pop(form["code"], None)
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        made = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if asked is None or authorization != f"Basic {wanted}" or made != asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": asked["nonce"]}
        claims |= self.person | self.spoiled
        claims = {name: value for name, value in claims.items() if value is not None}
        return {
            "token_type": "Bearer",
            "id_token": jwt.encode(self.header, claims, self.signing, algorithms=["RS256", "HS256", "ES256"]),
        }

    def handler(provider) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def answer(self, told: dict[str, Any] | None) -> None:
                body = json.dumps(told or {"error": "invalid_grant"}).encode()
                self.send_response(200 if told else 400)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                ways = {name: f"{provider.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
                known = {"issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/keys", **ways}
                keys = {"keys": [provider.key.as_dict(private=False)]}
                self.answer(keys if self.path == "/keys" else known)

            def do_POST(self) -> None:
                read = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(read).items()}
                self.answer(provider.token(form, self.headers.get("Authorization", "")))

            def log_message(self, *_: Any) -> None: ...

        return Handler


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    found = Provider()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join(10)
    found.server.server_close()


@pytest.fixture(scope="module")
def office(open_office: Any, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    oidc = OidcProvider(provider.issuer, CLIENT, SECRET, "Works login")
    with open_office(tmp_path_factory.mktemp("outside"), oidc=oidc) as found:
        yield found


@pytest.fixture
def browser(office: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=office.url, timeout=30.0) as client:
        yield client


def away(browser: httpx.Client, to: str = "/sites") -> str:
    """Begin; the address of the provider."""
    answer = browser.get("/api/v1/session/outside/begin", params={"to": to})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def back(browser: httpx.Client, provider: Provider, to: str = "/sites") -> str:
    """There and back; where the browser is sent in the end."""
    answer = browser.get(provider.leave(away(browser, to)))
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def invited(office: Any, email: str) -> None:
    """Somebody whom the owner has made a person, and who has not answered."""
    with office.signed_in() as owner:
        wanted = {"email": email, "role": "user", "site_id": office.site}
        assert owner.post("/people", json=wanted).status_code == 201


def test_the_provider_is_named(office: Any, browser: httpx.Client) -> None:
    assert browser.get("/api/v1/session/outside").json() == {"name": "Works login"}


def test_a_person_who_was_invited_comes_in(office: Any, browser: httpx.Client, provider: Provider) -> None:
    invited(office, "worker@test.example")
    provider.as_usual(sub="w1", email="Worker@test.example", email_verified=True)
    assert back(browser, provider, "/sites/3?tab=x") == "/sites/3?tab=x"
    assert browser.get("/api/v1/session").json()["email"] == "worker@test.example"
    provider.as_usual(sub="w1", email="renamed@test.example", email_verified=True)
    with httpx.Client(base_url=office.url) as other:
        assert back(other, provider) == "/sites"
        assert other.get("/api/v1/session").json()["email"] == "worker@test.example", (
            "known by the subject from then on"
        )


@pytest.mark.parametrize(
    "person",
    [
        {"sub": "x1", "email": "stranger@test.example", "email_verified": True},
        {"sub": "x2", "email": "invitee@test.example"},
        {"sub": "x3", "email": "invitee@test.example", "email_verified": False},
        {"sub": "x4", "email": "invitee@test.example", "email_verified": "true"},
        {"sub": "x5", "email": "unproven@test.example", "email_verified": True},
    ],
)
def test_who_is_not_known_here_stays_out(
    office: Any, browser: httpx.Client, provider: Provider, person: dict[str, Any]
) -> None:
    rows = {one.email for one in office.registry.accounts()}
    if "invitee@test.example" not in rows:
        invited(office, "invitee@test.example")
        office.join("unproven@test.example", "user", site_id=office.site)
    provider.as_usual(**person)
    assert back(browser, provider) == "/sign-in?outside=refused"
    assert browser.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize(
    "spoiled",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": [CLIENT, "another"]}, {"exp": 1_000_000_000},
        {"nonce": "replayed"}, {"nonce": None}, {"exp": None}, {"sub": None}, {"aud": None},
    ],
)  # fmt: skip
def test_a_token_that_does_not_hold_lets_nobody_in(
    office: Any, browser: httpx.Client, provider: Provider, spoiled: dict[str, Any]
) -> None:
    provider.as_usual(sub="w1", email="worker@test.example", email_verified=True)
    provider.spoiled = spoiled
    assert back(browser, provider) == "/sign-in?outside=failed"
    assert browser.get("/api/v1/session").status_code == 401


def test_a_signature_of_another_lets_nobody_in(office: Any, browser: httpx.Client, provider: Provider) -> None:
    forgers = [
        (RSAKey.generate_key(2048, {"kid": provider.key.kid}), "RS256"),
        (ECKey.generate_key("P-256", {"kid": "other"}), "ES256"),
        (OctKey.import_key(SECRET.ljust(32, "x"), {"kid": provider.key.kid}), "HS256"),
    ]
    for key, algorithm in forgers:
        provider.as_usual(sub="w1", email="worker@test.example", email_verified=True)
        provider.signing, provider.header = key, {"alg": algorithm, "kid": key.kid}
        assert back(browser, provider) == "/sign-in?outside=failed", algorithm


def test_keys_of_the_provider_may_change(office: Any, browser: httpx.Client, provider: Provider) -> None:
    invited(office, "later@test.example")
    provider.as_usual(sub="l1", email="later@test.example", email_verified=True)
    provider.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    provider.as_usual(**provider.person)
    assert back(browser, provider) == "/sites"


def test_only_the_browser_that_left_comes_back_and_once(office: Any, browser: httpx.Client, provider: Provider) -> None:
    invited(office, "once@test.example")
    provider.as_usual(sub="o1", email="once@test.example", email_verified=True)
    with httpx.Client(base_url=office.url) as victim:
        stolen = provider.leave(away(browser))
        assert victim.get(stolen).headers["location"] == "/sign-in?outside=failed"
        assert victim.get("/api/v1/session").status_code == 401
    address = provider.leave(away(browser))
    assert browser.get(address).headers["location"] == "/sites"
    assert browser.get(address).headers["location"] == "/sign-in?outside=failed"
    assert browser.get("/api/v1/session/outside/back").headers["location"] == "/sign-in?outside=failed"


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\tx",
        "evil",
        "javascript:alert(1)",
        "",
    ],
)
def test_nobody_is_sent_elsewhere_afterwards(office: Any, browser: httpx.Client, provider: Provider, to: str) -> None:
    if "redirect@test.example" not in {one.email for one in office.registry.accounts()}:
        invited(office, "redirect@test.example")
    provider.as_usual(sub="r1", email="redirect@test.example", email_verified=True)
    assert back(browser, provider, to) == "/"


def test_the_way_back_is_never_taken_from_the_request(office: Any, provider: Provider) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    with httpx.Client(base_url=office.url, headers=evil) as client:
        asked = parse_qs(urlsplit(away(client)).query)
    assert asked["redirect_uri"] == [f"{office.url}/api/v1/session/outside/back"]


def test_without_a_provider_there_is_none(mailing: Any) -> None:
    with mailing.client() as client:
        assert client.get("/session/outside").json() == {"name": ""}, "nothing is wrong where there is none"
        for path in ("/begin", "/back"):
            assert client.get(f"/session/outside{path}").status_code == 404
