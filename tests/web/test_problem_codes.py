"""Codes of problems: what is refused most is named by a word that stays, with its figures, over real HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.exceptions import ClientException

from wattstead.registry import errors
from wattstead.registry.errors import AccountNotActive, LoginLimited, PasswordInvalid, Stale, TemplateTaken
from wattstead.web.problem import code_of

WORDS = Path(__file__).parents[2] / "frontend" / "src" / "messages" / "en" / "refusals.ts"


def _told(answer: httpx.Response) -> tuple[int, str, dict[str, Any]]:
    told = answer.json()
    return answer.status_code, told.get("code", ""), told.get("figures", {})


def test_refusals_of_forms_have_codes(house: Any, person: httpx.Client, reader: httpx.Client) -> None:
    wrong = httpx.post(
        f"{house.url}/api/v1/session", json={"email": "no@example.org", "password": "nonsense nonsense"},
        headers={"X-Wattstead": "1"},
    )  # fmt: skip
    assert _told(wrong) == (401, "login.failed", {})
    site = f"/api/v1/sites/{house.barn}"
    tag = {"If-Match": person.get(site).headers["ETag"]}
    assert _told(person.patch(site, json={"name": ""}, headers=tag)) == (
        400,
        "name.empty",
        {"noun": "name", "most": 200},
    )
    range_ = {"name": "tilt_deg", "least": 0, "most": 90}
    assert _told(person.patch(site, json={"tilt_deg": 120}, headers=tag)) == (400, "number.range", range_)
    assert _told(person.patch(site, json={"note": "x"}, headers={"If-Match": '"999"'})) == (412, "stale", {})
    top = person.get("/api/v1/organizations").json()["rows"][0]["id"]
    version = person.get(f"/api/v1/organizations/{top}").headers["ETag"]
    full = person.delete(f"/api/v1/organizations/{top}", headers={"If-Match": version})
    assert full.status_code == 409 and full.json()["code"] in ("organization.full", "organization.own")
    large = person.post("/api/v1/imports?kind=sites", content=b"x" * 10_000_002)
    assert (large.status_code, large.json()["code"]) == (413, "body.large")
    twice = person.post("/api/v1/imports?kind=sites", content=b"name,name\n1,2\n")
    assert _told(twice) == (400, "table.twice", {"column": "name"})
    foreign, missing = (reader.get(f"/api/v1/sites/{one}") for one in (house.barn, 999_999))
    assert _told(foreign) == _told(missing) == (404, "not_found", {})


def test_each_code_has_words_on_the_pages() -> None:
    words = set(re.findall(r'"refusal\.([a-z_.]+)":', WORDS.read_text(encoding="utf-8")))
    source = Path(errors.__file__).parents[1]
    named = r'"((?:name|number|date|email)\.(?:empty|long|none|whole|range))"'
    given = {code for file in source.rglob("*.py") for code in re.findall(named, file.read_text(encoding="utf-8"))}
    made: list[Exception] = [
        AccountNotActive("invited"), AccountNotActive("disabled"), LoginLimited(9), PasswordInvalid(3, 10, 200),
        errors.EmailAlike("a@b"), Stale("site", 1, 2, 3), TemplateTaken("sdm", 2),
    ]  # fmt: skip
    told = r'(?:(?:Conflict|RoleRefused)\(\s*|code=|_out, |characters", |value", )"([a-z]+\.[a-z_]+)"'
    of_changes = {code for file in source.rglob("*.py") for code in re.findall(told, file.read_text(encoding="utf-8"))}
    assert {"organization.inside", "role.give", "table.twice", "cell.long", "column.unknown"} <= of_changes
    codes = given | of_changes | {code_of(one)[0] for one in made} | {code_of(ClientException(status_code=413))[0]}
    forms = Path(errors.__file__).parents[1] / "ingest/sources/forms.py"
    of_settings = set(re.findall(r'"(setting\.[a-z]+)"', forms.read_text(encoding="utf-8")))
    assert len(of_settings) == 11
    codes |= of_settings
    assert len(codes) > 40 and codes <= words, codes - words


@pytest.mark.parametrize("error", [errors.SecondFactorMissing(), errors.KeyInvalid("a sentence"), ValueError()])
def test_what_has_no_code_is_told_by_its_sentence(error: Exception) -> None:
    assert code_of(error) == ("", {})
