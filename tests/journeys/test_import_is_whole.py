"""Right after an import no interface tells a number of half of it, or that there is nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from conftest import Running

MINUTES = 9 * 1440


def again(ask: Any, told: Any) -> Any:
    """What is answered once the answer is not that it has to be asked for again."""
    until = time.monotonic() + 120
    while True:
        answer = ask()
        if answer.status_code != 503 and "are being stored" not in answer.text:
            return told(answer.json())
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.parametrize("first", ["influx", "readings", "span", "feed"])
def test_an_import_is_told_whole_or_not_at_all(product: Running, first: str) -> None:
    begin_s = int(time.time()) // 86_400 * 86_400 - 30 * 86_400
    address = f"import_{first}"
    with product.signed_in() as person, httpx.Client(base_url=product.url, timeout=60) as client:
        line = f"{address} v=1 {{}}\n"
        write = {"Authorization": f"Token {product.write_key}"}
        sent = client.post("/write?db=x&precision=s", headers=write, content=line.format(begin_s))
        assert sent.status_code == 204, sent.text
        point = 0
        while not point:
            rows = person.get("/api/v1/points", params={"limit": 1000}).json()
            rows = rows["rows"] if isinstance(rows, dict) and "rows" in rows else rows
            point = next((row["id"] for row in rows if row["address"] == f"influx/{address}/v"), 0)
        body = "".join(line.format(begin_s + 60 * minute) for minute in range(MINUTES))
        read = {"Authorization": f"Bearer {product.read_key}"}
        end_s = begin_s + 60 * MINUTES
        count = f"SELECT count(v) FROM {address} WHERE time >= {begin_s}s AND time < {end_s}s"
        of_point = {"point": point, "start": begin_s * 1000, "end": end_s * 1000, "limit": 100_000}
        of_feed = {"id": point, "start": begin_s, "end": end_s - 1, "interval": 3600, "skipmissing": 1}
        asks: dict[str, tuple[str, dict[str, Any], Any, Any]] = {
            "influx": ("/query", {"q": count}, lambda it: it["results"][0]["series"][0]["values"][0][1], MINUTES),
            "readings": ("/api/v1/readings", of_point, lambda it: len(it["time"]), MINUTES),
            "span": ("/api/v1/span", {"points": point}, lambda it: it["last"], (end_s - 60) * 1000),
            "feed": ("/feed/data.json", of_feed, len, MINUTES // 60),
        }
        assert client.post("/write?db=x&precision=s", headers=write, content=body).status_code == 204
        time.sleep(0.5)  # the journal is looked at every quarter of a second
        for name in (first, *asks):
            path, query, told, expected = asks[name]
            assert again(lambda p=path, q=query: client.get(p, params=q, headers=read), told) == expected, name
