"""Names: what may be stored, what is refused and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.registry import names
from wattstead.registry.errors import NameInvalid, ZoneUnknown

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "name", ["power", "a" * 200, "Küche / Herd", "電力", 'it\'s "quoted"', "a\\b", "<script>", "🔌"]
)
def test_names_of_all_kinds_are_allowed(name: str) -> None:
    assert names.fault(name) == ""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is empty"),
        (" ", "nothing but blanks"),
        ("\t \u00a0", "nothing but blanks"),
        ("a" * 201, "has 201 characters; at most 200"),
        ("a\nb", r"control character '\n'"),
        ("a\x00", r"control character '\x00'"),
        ("\x9b", r"control character '\x9b'"),
        ("a\u2028b", r"control character '\u2028'"),
        ("a\u202eb", r"control character '\u202e'"),
        ("\u2066a", r"control character '\u2066'"),
        ("\ud800", r"control character '\ud800'"),
    ],
)
def test_a_fault_says_what_was_found(name: str, reason: str) -> None:
    assert reason in names.fault(name)


@given(st.text(max_size=400))
def test_every_refusal_can_be_printed_and_every_allowed_name_encoded(name: str) -> None:
    fault = names.address_fault(name)
    if fault is None:
        name.encode()
    else:
        assert str(fault).isprintable() and len(str(fault)) < 600


def test_ten_thousand_letters_do_not_fill_the_message() -> None:
    with pytest.raises(NameInvalid) as raised:
        names.checked("site", "x" * 10_000)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "zone", ["", "Europe", "Europe/Atlantis", "../etc/passwd", "/etc/localtime", "a\x00b", "UTC\n"]
)
def test_zones_that_do_not_exist(zone: str) -> None:
    with pytest.raises(ZoneUnknown):
        names.checked_zone(zone)


def test_a_point_is_called_after_the_last_part_of_its_address() -> None:
    assert [names.last_part(path) for path in ("emon/5/power1", "power", "a/b/", "/")] == ["power1", "power", "b", "/"]
