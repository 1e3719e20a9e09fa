"""The demo plays what was recorded, at the recorded pace, without a seam between past and present."""

from __future__ import annotations

import numpy as np
import pytest

from wattstead.cli.demonstration.recording import DAY_US, Recording, minute_home, samples, second_home

pytestmark = pytest.mark.unit
NOW_US = 1_795_000_000_000_000


@pytest.fixture(scope="module", params=[minute_home, second_home])
def recording(request: pytest.FixtureRequest) -> Recording:
    return request.param(samples())  # type: ignore[no-any-return]


def test_two_halves_are_the_whole(recording: Recording) -> None:
    time_us, value = recording.between(NOW_US - DAY_US, NOW_US)
    early = recording.between(NOW_US - DAY_US, NOW_US - DAY_US // 3)
    late = recording.between(NOW_US - DAY_US // 3, NOW_US)
    assert np.array_equal(time_us, np.concatenate([early[0], late[0]]))
    assert np.array_equal(value, np.concatenate([early[1], late[1]]), equal_nan=True)


def test_the_loop_keeps_the_time_of_day(recording: Recording) -> None:
    loop_us = len(recording.value) * recording.step_us
    assert loop_us % DAY_US == 0
    first = recording.between(NOW_US, NOW_US + 3_600_000_000)[1]
    again = recording.between(NOW_US + loop_us, NOW_US + loop_us + 3_600_000_000)[1]
    assert np.array_equal(first, again, equal_nan=True)


def test_the_minute_home_is_as_recorded() -> None:
    home = minute_home(samples())
    power = home.value[:, [c.address for c in home.channels].index("power")]
    assert power[0] == 4216.0
    assert home.start_us == 1_166_286_240_000_000  # 2006-12-16 17:24 in Paris
    assert np.isnan(home.value[:, 0]).sum() == 4


def test_the_second_home_is_the_sum_of_its_appliances() -> None:
    home = second_home(samples())
    assert np.array_equal(home.value[:, 0], home.value[:, 1:].sum(axis=1))
    assert "tracebase" in home.note
    assert "ODbL" in home.note
