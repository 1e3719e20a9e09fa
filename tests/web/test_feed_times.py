"""Times in EmonCMS's forms."""

from __future__ import annotations

import pytest

from wattstead.web.emoncms.feed_times import Moment, TimeInvalid, moment_s

pytestmark = pytest.mark.unit


def test_seconds_milliseconds_and_dates_are_told_apart() -> None:
    assert moment_s("1700000000", "UTC") == moment_s("1700000000000", "UTC") == 1_700_000_000
    assert moment_s("2023-11-15 00:13:20", "Europe/Athens") == 1_700_000_000
    assert moment_s("2023-11-14T22:13:20Z", "Europe/Athens") == 1_700_000_000


def test_a_bad_time_is_an_error_never_now() -> None:
    with pytest.raises(TimeInvalid, match="Invalid time 'soon'"):
        moment_s("soon", "UTC")


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("unix", 1_700_000_000),
        ("unixms", 1_700_000_000_000),
        ("excel", "14/11/2023 23:13:20"),
        ("iso8601", "2023-11-14T23:13:20+01:00"),
    ],
)
def test_forms(form: str, shown: object) -> None:
    assert Moment(form, "Europe/Berlin").shown(1_700_000_000) == shown
