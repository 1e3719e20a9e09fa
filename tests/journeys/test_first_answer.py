"""The first answers after the first start: history is there, or the server says that it is coming; never silence."""

from __future__ import annotations

import time
from typing import Any

from tests.conftest import Running

DAY_MS = 86_400_000


def asked_again(http: Any, query: dict[str, Any], seconds: float = 120) -> list[int]:
    """The counts of that question, asked as the page asks it: again while it is refused or while buckets are missing.

    No answer on the way may have less than half of what is asked for.
    """
    until = time.monotonic() + seconds
    while True:
        answer = http.get("/api/v1/series", params=query)
        if answer.status_code == 503 and time.monotonic() < until:
            assert "are being stored" in answer.json()["detail"]
            time.sleep(int(answer.headers["retry-after"]))
            continue
        counts: list[int] = answer.raise_for_status().json()["points"][0]["count"]
        filled = sum(1 for count in counts if count)
        if filled >= len(counts) - 1 or time.monotonic() > until:
            return counts
        assert filled * 2 >= len(counts) - 1, counts
        time.sleep(1)


def test_the_first_question_finds_the_month(prefixed: Running) -> None:
    with prefixed.signed_in() as http:
        sites = http.get("/api/v1/sites").json()["rows"]
        recorded = {site["id"] for site in sites if "imulated" not in site["note"]}
        points = http.get("/api/v1/points").json()
        homes = [row for row in points if row["role"] == "home" and row["site_id"] in recorded]
        assert len(homes) == 2
        now_ms = int(time.time() * 1000)
        for home, days in ((homes[0], 29), (homes[1], 2)):
            for step in ("day", "1h"):
                query = {"points": home["id"], "start": now_ms - days * DAY_MS, "end": now_ms, "step": step}
                counts = asked_again(http, query)
                assert sum(1 for count in counts if count) >= len(counts) - 1, (home["name"], step, counts)
        empty = {"points": homes[0]["id"], "start": now_ms - 3000 * DAY_MS, "end": now_ms - 2000 * DAY_MS}
        assert http.get("/api/v1/series", params=empty).raise_for_status().json()["points"][0]["readings"] == 0
