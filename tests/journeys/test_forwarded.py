"""Behind a proxy: client and scheme come from its headers where that was asked for, and from nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from tests.conftest import serving as started

from wattstead.settings import Settings

EMAIL = "owner@localhost.localdomain"


@contextmanager
def serving(folder: Path, *options: str, **variables: str) -> Iterator[tuple[httpx.Client, str]]:
    """`wattstead serve`, as the proxy reaches it, and the owner's password."""
    with started(folder, *options, **variables) as said:
        found = re.search(r"password  (\S+)[\s\S]*runs at (\S+)", said)
        assert found is not None, said
        with httpx.Client(base_url=found[2], timeout=60) as http:
            yield http, found[1]


def sign_in(http: httpx.Client, password: str, client: str, email: str = EMAIL) -> httpx.Response:
    """As a proxy passes it on that was reached over https by that client, who claims to be another."""
    told = {"X-Forwarded-For": f"198.51.100.9, {client}", "X-Forwarded-Proto": "https"}
    return http.post("api/v1/session", json={"email": email, "password": password}, headers=told)


def test_a_proxy_that_is_trusted(tmp_path: Path) -> None:
    trusts, own = {"WATTSTEAD_TRUST_FORWARDED": "true"}, {"WATTSTEAD_PUBLIC_URL": "https://energy.example"}
    with serving(tmp_path, **trusts, **own) as (http, password):
        assert "Secure" in sign_in(http, password, "203.0.113.1").headers["set-cookie"]
        guesses = [sign_in(http, "a wrong guess", "203.0.113.5", "x@test.example") for _ in range(11)]
        assert [answer.status_code for answer in guesses] == [401] * 10 + [429]
        assert sign_in(http, "a wrong guess", "203.0.113.6", "x@test.example").status_code == 401
        without_tls(http)


def without_tls(http: httpx.Client) -> None:
    """What a proxy was told in the clear from another machine is not taken; from its own machine it is."""
    told = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.7", "Host": "energy.example:8000"}
    moved = http.get("sites?tag=x", headers=told)
    assert (moved.status_code, moved.headers["location"]) == (307, "https://energy.example/sites?tag=x")
    login = {"email": EMAIL, "password": "x"}
    for path, body in (("api/v1/session", login), ("api/v1/readings", {"point": "a", "value": 1}), ("input/post", {})):
        assert http.post(path, json=body, headers=told).status_code == 403
    assert http.get("input/post?csv=1&apikey=x", headers=told).status_code == 403
    assert http.get("sites", headers={**told, "X-Forwarded-For": "127.0.0.1"}).status_code == 200
    assert http.get("sites", headers={**told, "X-Forwarded-Proto": "https"}).status_code == 200


def test_headers_that_anybody_can_send_are_nothing_by_themselves(tmp_path: Path) -> None:
    """Nor where the environment trusts them and the command line does not."""
    assert not Settings().trust_forwarded
    with serving(tmp_path, "--no-trust-forwarded", WATTSTEAD_TRUST_FORWARDED="true") as (http, password):
        answer = sign_in(http, password, "203.0.113.1")
        assert answer.status_code == 201
        assert "Secure" not in answer.headers["set-cookie"]
        guesses = [sign_in(http, "a wrong guess", f"203.0.113.{n}", "x@test.example") for n in range(11)]
        assert [answer.status_code for answer in guesses] == [401] * 10 + [429]
