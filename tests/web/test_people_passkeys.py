"""Passkeys in the real Chromium with an authenticator of its own: made, shown, and refused when anything is forged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.chromium import FLAGS, WHOLE

PASSWORD = "correct horse battery"
_AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
_ASK = """
async ([path, body, method]) => {
  const headers = {'Content-Type': 'application/json', 'X-Wattstead': '1'};
  const sent = body === null ? undefined : JSON.stringify(body);
  const answer = await fetch('/api/v1' + path, {method, headers, body: sent});
  const text = await answer.text();
  return [answer.status, text ? JSON.parse(text) : null];
}
"""
_MAKE = """
async (options) => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const made = await navigator.credentials.create({publicKey});
  return made.toJSON();
}
"""
_SHOW = """
async (options) => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const shown = await navigator.credentials.get({publicKey});
  return shown.toJSON();
}
"""


class Window:
    """A browser window on a page of ours, with an authenticator."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.cdp = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        self.authenticator = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
        page.goto(f"{base}/api/v1/docs")

    def ask(self, path: str, body: Any = None, method: str = "POST") -> tuple[int, Any]:
        status, told = self.page.evaluate(_ASK, [path, body, method])
        return int(status), told

    def sign_in(self, email: str) -> None:
        assert self.ask("/session", {"email": email, "password": PASSWORD})[0] == 201

    def make(self, name: str) -> tuple[int, Any]:
        """A new passkey of whoever is signed in."""
        status, options = self.ask("/account/passkeys/begin", {"password": PASSWORD})
        assert status == 200, options
        return self.ask("/account/passkeys/finish", {"name": name, "credential": self.page.evaluate(_MAKE, options)})

    def show(self) -> dict[str, Any]:
        """The answer to a fresh challenge to sign in."""
        status, challenge = self.ask("/session/passkey/begin")
        assert status == 200, challenge
        return {"ceremony": challenge["ceremony"], "credential": self.page.evaluate(_SHOW, challenge["options"])}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=WHOLE, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def window(office: Any, chromium: Browser) -> Iterator[Window]:
    """Opened at a name: no browser makes passkeys for a bare address."""
    context = chromium.new_context()
    yield Window(context.new_page(), office.url.replace("127.0.0.1", "localhost"))
    context.close()


def test_a_passkey_signs_in_and_ends(office: Any, window: Window) -> None:
    office.join("key@test.example", "user", site_id=office.site)
    window.sign_in("key@test.example")
    status, made = window.make("Laptop")
    assert (status, made["name"], made["last_used"]) == (201, "Laptop", None)
    assert window.ask("/session", method="DELETE")[0] == 204
    assert window.ask("/session", method="GET")[0] == 401
    shown = window.show()
    status, told = window.ask("/session/passkey", shown)
    assert (status, told["email"]) == (201, "key@test.example")
    assert window.ask("/session/passkey", shown)[0] == 404, "a challenge is good for one answer"
    rows = window.ask("/account/passkeys", method="GET")[1]
    assert [row["name"] for row in rows] == ["Laptop"] and rows[0]["last_used"]
    assert window.ask(f"/account/passkeys/{made['id']}", method="DELETE")[0] == 204
    assert window.ask("/session/passkey", window.show())[0] == 401


def test_a_passkey_needs_no_code_beside_it_and_no_active_session(office: Any, window: Window) -> None:
    with office.join("gone@test.example", "user", site_id=office.site) as person, office.signed_in() as owner:
        window.sign_in("gone@test.example")
        assert window.make("")[1]["name"] == "Passkey"
        path = f"/people/{person.get('/session').json()['account_id']}"
        tag = owner.get(path).headers["etag"]
        assert owner.patch(path, json={"state": "disabled"}, headers={"If-Match": tag}).status_code == 200
    status, told = window.ask("/session/passkey", window.show())
    assert status == 403 and "disabled" in told["detail"]


def test_forged_answers_are_refused(office: Any, window: Window) -> None:
    office.join("forged@test.example", "user", site_id=office.site)
    window.sign_in("forged@test.example")
    window.make("Laptop")
    signature = window.show()
    data = signature["credential"]["response"]["signature"]
    signature["credential"]["response"]["signature"] = ("A" if data[10] != "A" else "B").join((data[:10], data[11:]))
    other, stolen = window.show(), window.show()
    stolen["credential"] = other["credential"]
    unknown = window.show()
    unknown["credential"] |= {"id": "AAAA", "rawId": "AAAA"}
    for forged in (signature, stolen, unknown):
        assert window.ask("/session/passkey", forged)[0] == 401
    for credential in (
        {},
        {"rawId": "!"},
        {"rawId": other["credential"]["rawId"]},
        other["credential"] | {"response": 5},
    ):
        fresh = window.show()
        assert window.ask("/session/passkey", fresh | {"credential": credential})[0] == 401, credential
    assert window.ask("/session/passkey", other)[0] == 201


def test_a_passkey_of_a_challenge_to_somebody_else_is_not_kept(office: Any, window: Window) -> None:
    office.join("one@test.example", "user", site_id=office.site)
    office.join("two@test.example", "user", site_id=office.site)
    window.sign_in("one@test.example")
    credential = window.page.evaluate(_MAKE, window.ask("/account/passkeys/begin", {"password": PASSWORD})[1])
    window.sign_in("two@test.example")
    answer = {"name": "x", "credential": credential}
    assert window.ask("/account/passkeys/finish", answer)[0] == 404
    window.ask("/account/passkeys/begin", {"password": PASSWORD})
    assert window.ask("/account/passkeys/finish", answer)[0] == 400
    assert window.ask("/account/passkeys/finish", {"credential": {"id": 5}})[0] == 404
    assert window.ask("/account/passkeys", method="GET")[1] == []


def test_a_page_at_another_address_is_told_where_passkeys_work(office: Any) -> None:
    with office.signed_in() as owner:
        own, begin = {"password": PASSWORD}, "/account/passkeys/begin"
        refused = owner.post(begin, json=own, headers={"Origin": office.url})
        assert refused.status_code == 409 and "localhost" in refused.json()["detail"]
        assert owner.post(begin, json=own, headers={"Origin": "https://evil.example"}).status_code == 409
        options = owner.post(begin, json=own, headers={"Host": "evil.example"}).json()
        assert options["rp"] == {"id": "localhost", "name": "Wattstead"}
