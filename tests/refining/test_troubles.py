"""Troubles: what stands in the way is said before what is beside it, and what failed rests longer each time."""

from __future__ import annotations

import pytest

from wattstead.refining.troubles import JOURNAL, STORE, Troubles

pytestmark = pytest.mark.unit


def test_what_readings_must_pass_is_said_first() -> None:
    troubles = Troubles(1.0, 10.0)
    assert troubles.worst == (0, "") and not troubles.stands_still
    for _ in range(3):
        troubles.failed("history", OSError("odd"))
    assert troubles.worst == (3, "history: odd") and not troubles.stands_still
    troubles.failed(STORE, ValueError())
    assert troubles.worst == (1, "store: ValueError") and troubles.stands_still
    troubles.works(STORE)
    troubles.failed(JOURNAL, OSError("no disk"))
    assert troubles.worst == (1, "journal: no disk") and troubles.stands_still
    troubles.works(JOURNAL)
    troubles.works("history")
    assert troubles.worst == (0, "")


def test_what_failed_rests_longer_each_time() -> None:
    now = [0.0]
    troubles = Troubles(1.0, 5.0, lambda: now[0])
    assert not troubles.rests("history")
    for rest_s in (1.0, 2.0, 4.0, 5.0, 5.0):
        troubles.failed("history", OSError())
        now[0] += rest_s - 0.01
        assert troubles.rests("history") and not troubles.rests("expiry")
        now[0] += 0.02
        assert not troubles.rests("history")
    troubles.works("history")
    troubles.failed("history", OSError())
    now[0] += 1.01
    assert not troubles.rests("history")
