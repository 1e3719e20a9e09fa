"""PHP's JSON and numbers, as EmonCMS's clients compare them."""

from __future__ import annotations

import json as standard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.web.emoncms.php import Json, is_numeric, json, number, whole

pytestmark = pytest.mark.unit

VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1.0, "1"), (0.0, "0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e16, "10000000000000000"), (1e17, "1.0e+17"),
        (1.5e-7, "1.5e-7"), (1e-5, "1.0e-5"), (0.0001, "0.0001"), (123456.789, "123456.789"), (float("inf"), "null"),
    ],
)  # fmt: skip
def test_numbers(value: float, written: str) -> None:
    assert number(value) == written


def test_texts_are_escaped_as_php_does() -> None:
    assert json({"a/b": 'é"\n', "c": [True, None, 1]}) == '{"a\\/b":"\\u00e9\\"\\n","c":[true,null,1]}'


@given(VALUES)
def test_any_value_reads_back(value: Json) -> None:
    assert standard.loads(json(value)) == value


@given(st.text(max_size=30))
def test_any_text_is_a_whole_number_or_zero(text: str) -> None:
    assert isinstance(whole(text), int)
    assert is_numeric(text) in (True, False)
