"""EmonCMS's senders and readers against the running product, unchanged: what they post is seen everywhere."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from pyemoncms import EmoncmsClient

PREFIXES = pytest.mark.parametrize("prefix", ["", "/emoncms"])


def feeds(product: Any, prefix: str) -> dict[str, dict[str, Any]]:
    """All feeds as ``tag/name``."""
    found = requests.get(f"{product.url}{prefix}/feed/list.json", {"apikey": product.read_key}, timeout=30).json()
    return {f"{feed['tag']}/{feed['name']}": feed for feed in found}


def is_seen(
    product: Any, eyes: Any, eventually: Callable[..., Any], prefix: str, place: str, sent: list[tuple[int, float]]
) -> None:
    """Readings of the feed ``node/name`` by feed/value, feed/data, the product's own API and the live stream."""
    feed = eventually(lambda: feeds(product, prefix).get(place))["id"]
    asked = {"apikey": product.read_key, "id": feed}

    def told(path: str, **more: Any) -> Any:
        return requests.get(f"{product.url}{prefix}/feed/{path}", asked | more, timeout=30).json()

    newest = max(sent)[1]
    eventually(lambda: told("value.json"), lambda value: value == newest)
    span = {"start": min(sent)[0], "end": max(sent)[0], "interval": 1, "skipmissing": 1, "timeformat": "unix"}
    eventually(lambda: told("data.json", **span), lambda rows: rows == [list(row) for row in sorted(sent)])
    address = f"emon/{place}"
    eyes.stored(address, [(float(time_s), value) for time_s, value in sent])
    with eyes.live(address) as stream:
        assert next(stream)[2] == newest


@PREFIXES
def test_pyemoncms_posts_and_home_assistant_reads(
    product: Any, eyes: Any, eventually: Callable[..., Any], prefix: str
) -> None:
    node, now_s = f"ha{prefix[1:]}", int(time.time())
    sent = [(now_s - 20, 230.5), (now_s - 10, 231.0)]

    async def post() -> None:
        async with EmoncmsClient(product.url + prefix, product.write_key) as client:
            for time_s, value in sent:
                assert await client.async_input_post({"power": value}, node=node, time=time_s)

    async def read() -> dict[str, Any]:
        async with EmoncmsClient(product.url + prefix, product.read_key) as client:
            assert await client.async_get_uuid()
            for feed in await client.async_list_feeds():
                if (feed["tag"], feed["name"]) == (node, "power"):
                    return await client.async_get_feed_fields(int(feed["id"]))
        return {}

    asyncio.run(post())
    fields = eventually(lambda: asyncio.run(read()), lambda found: found.get("value") == 231)
    assert (fields["tag"], fields["name"], fields["time"]) == (node, "power", now_s - 10)
    is_seen(product, eyes, eventually, prefix, f"{node}/power", sent)


@PREFIXES
def test_emonhub(product: Any, eyes: Any, eventually: Callable[..., Any], prefix: str) -> None:
    """As its HTTP interfacer posts: absolute times, its own clock as sentat, ``ok`` or it keeps its buffer."""
    node, now_s = f"hub{prefix[1:]}", int(time.time())
    frames = [[now_s - 30 + 10 * n, node, 100 + n, 2.5 * n, None] for n in range(3)]
    text = json.dumps(frames, separators=(",", ":"))
    url = f"{product.url}{prefix}/input/bulk.json?"
    for late_s in (0, 2):  # an answer that was lost: the same buffer again, with a new sentat
        sentat = str(int(time.time()) + late_s)
        form = {"apikey": product.write_key, "data": text, "sentat": sentat}
        reply = requests.post(url, form, timeout=60)
        assert (reply.status_code, reply.text) == (200, "ok")
        headers = {"Authorization": f"Bearer {product.write_key}"}
        query = {"sentat": sentat, "cb": "1"}
        reply = requests.post(url, params=query, data=zlib.compress(text.encode()), headers=headers, timeout=60)
        assert (reply.status_code, reply.text) == (200, "ok")
    is_seen(product, eyes, eventually, prefix, f"{node}/1", [(now_s - 30 + 10 * n, 100.0 + n) for n in range(3)])
    eyes.stored(f"emon/{node}/2", [(now_s - 30 + 10 * n, 2.5 * n) for n in range(3)])


@PREFIXES
def test_emonhub_with_a_wrong_clock(product: Any, eyes: Any, eventually: Callable[..., Any], prefix: str) -> None:
    node, ahead_s = f"fast{prefix[1:]}", 7200
    sent_s = int(time.time()) + ahead_s
    form = {"apikey": product.write_key, "data": json.dumps([[sent_s - 5, node, 7]]), "sentat": str(sent_s)}
    assert requests.post(f"{product.url}{prefix}/input/bulk.json?", form, timeout=60).text == "ok"
    eyes.stored(f"emon/{node}/1", [(sent_s - ahead_s - 5, 7.0)])


@PREFIXES
def test_emonhub_with_a_buffer_that_can_never_be_kept(product: Any, eyes: Any, prefix: str) -> None:
    """Its queue moves, and whoever keeps the server sees that something was not kept, and what."""

    def rejected() -> tuple[float, str]:
        parts = eyes.http.get("/api/v1/status").raise_for_status().json()["parts"]
        ingest = next(part for part in parts if part["name"] == "ingest")
        return ingest["figures"]["rejected_readings"], ingest["text"]

    before, _ = rejected()
    frames = [[0, "hub", "open", "shut"], [1, "hub", {"temp": "--"}]]
    form = {"apikey": product.write_key, "data": json.dumps(frames), "time": str(int(time.time()))}
    reply = requests.post(f"{product.url}{prefix}/input/bulk.json?", form, timeout=60)
    assert (reply.status_code, reply.text) == (200, "ok")
    assert "data[0][2]: value is 'open'" in reply.headers["X-Emoncms-Message"]
    after, text = rejected()
    assert after >= before + 3
    assert "data[0][2]: value is 'open'" in text


@PREFIXES
def test_esp_firmware(product: Any, eyes: Any, eventually: Callable[..., Any], prefix: str) -> None:
    """EmonESP and OpenEVSE: one GET, fulljson escaped or not, and a JSON success."""
    node = f"esp{prefix[1:]}"
    for values in ('{"amp":12.5,"wh":1000}', "%7B%22amp%22%3A12.5%2C%22wh%22%3A1001%7D"):
        url = f"{product.url}{prefix}/input/post?fulljson={values}&node={node}&apikey={product.write_key}"
        reply = requests.get(url, headers={"Connection": "close"}, timeout=60)
        assert (reply.status_code, reply.text) == (200, '{"success": true}')
    seen: dict[str, float] = {}
    with eyes.live(f"emon/{node}/amp", f"emon/{node}/wh") as stream:
        while seen != {f"emon/{node}/amp": 12.5, f"emon/{node}/wh": 1001}:
            address, _, value = next(stream)
            seen[address] = value
    feed = eventually(lambda: feeds(product, prefix).get(f"{node}/wh"))
    assert feed["value"] == 1001


def sealed(secret: str, plain: bytes) -> tuple[bytes, str, str]:
    """Body, HMAC and the answer that IoTaWatt compares."""
    key, start = bytes.fromhex(secret), b"0123456789abcdef"
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES128(key), modes.CBC(start)).encryptor()
    packed = start + encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    answer = base64.urlsafe_b64encode(hashlib.sha256(plain).digest()).decode()
    return base64.urlsafe_b64encode(packed), hmac.new(key, plain, "sha256").hexdigest(), answer


@PREFIXES
@pytest.mark.parametrize("encrypted", [False, True])
def test_iotawatt(product: Any, eyes: Any, eventually: Callable[..., Any], prefix: str, encrypted: bool) -> None:
    """It has one key. It asks where to go on, posts in bulk with a time, and in the encrypted form checks the hash."""
    node = f"IotaWatt {prefix[1:]}{encrypted:d}"
    site = eyes.http.get("/api/v1/points").json()[0]["site_id"]
    made = {"site_id": site, "scope": "write", "name": node, "sealed": encrypted}
    key = eyes.http.post("/api/v1/keys", json=made).raise_for_status().json()
    bearer = {"Authorization": f"Bearer {key['secret']}"}

    def resume() -> str:
        reply = requests.get(f"{product.url}{prefix}/input/get?node={node}", headers=bearer, timeout=60)
        return reply.text if reply.status_code == 200 else ""

    def post(first_s: int, values: list[float]) -> bool:
        rows = ",".join(f'[{10 * n},"{node}",{value:.1f},null,50]' for n, value in enumerate(values))
        text = f"time={first_s}&data=[{rows}]"
        if not encrypted:
            headers = bearer | {"Content-Type": "application/x-www-form-urlencoded"}
            reply = requests.post(f"{product.url}{prefix}/input/bulk", text, headers=headers, timeout=60)
            return reply.text == "ok"
        body, code, answer = sealed(key["secret"], text.encode())
        headers = {"Content-Type": "aes128cbc", "Authorization": f"{key['id']}:{code}"}
        reply = requests.post(f"{product.url}{prefix}/input/bulk", body, headers=headers, timeout=60)
        return reply.text == answer

    now_s = int(time.time()) // 10 * 10
    assert eventually(resume) == '"Node does not exist"'
    eventually(lambda: post(now_s - 100, [1.5, 2.5, 3.5]))
    eventually(resume, lambda text: f'"time":{now_s - 80},' in text)
    assert "3.5" not in resume()  # a write key learns times, never values
    assert post(now_s - 70, [4.5, 5.5])
    sent = [(now_s - 100 + 10 * n, n + 1.5) for n in range(5)]
    is_seen(product, eyes, eventually, prefix, f"{node}/1", sent)
