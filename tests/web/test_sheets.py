"""Files of lists: what is exported is what is seen, nothing in it reckons; what is brought is looked at first."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import openpyxl
import pytest
import xlsxwriter

from wattstead.web.files import tables_in
from wattstead.web.files.previews import MOST_BYTES, MOST_BYTES_EACH, Waiting
from wattstead.web.files.sheets import safe
from wattstead.web.problem import Refused

EVIL = '=HYPERLINK("http://evil.example")'


@pytest.fixture(scope="module")
def desk(office: Any) -> Iterator[Any]:
    registry = office.registry
    made = type("Desk", (), {})
    made.office = office
    made.one, made.two = (registry.create_organization(f"Desk {n}", office.root).id for n in "12")
    made.mill = registry.create_site(made.one, "Mill", "UTC", attributes={"city": EVIL, "address": "-2+3"}).id
    made.barn = registry.create_site(made.two, "Barn", "UTC", attributes={"city": "Foreign"}).id
    made.partner = office.join("desk@one.example", "partner", organization_id=made.one)
    made.user = office.join("desk@mill.example", "user", site_id=made.mill)
    yield made
    made.partner.close()
    made.user.close()


def _told(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_list_as_csv(desk: Any) -> None:
    answer = desk.partner.get("/directory/export?kind=sites&format=csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert ".csv" in answer.headers["Content-Disposition"]
    text = answer.content.decode("utf-8-sig")
    assert "'=HYPERLINK" in text
    assert "'-2+3" in text
    assert "Mill" in text
    assert "Foreign" not in text
    filtered = desk.partner.get("/directory/export?kind=sites&format=csv&name=nothing").text
    assert len(filtered.strip().splitlines()) == 1
    assert desk.partner.get("/directory/export?kind=sites&secret=1").status_code == 400
    assert desk.partner.get("/directory/export?kind=keys").status_code == 400


@pytest.mark.parametrize("kind", ["sites", "devices"])
def test_tags_are_columns_that_an_import_reads(desk: Any, kind: str) -> None:
    made = desk.office.registry.create_device if kind == "devices" else desk.office.registry.create_site
    where = {"organization_id": desk.one} if kind == "devices" else {}
    for name, tags in (("Tagged", {"roof": "=south", "age": "old"}), ("Bare", {})):
        made(*((None, name) if kind == "devices" else (desk.one, name, "UTC")), tags=tags, **where)
    export = desk.partner.get(f"/directory/export?kind={kind}").content.decode("utf-8-sig")
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(export))}
    assert [name for name in rows["Tagged"] if name.startswith("tag.")] == ["tag.age", "tag.roof"]
    assert (rows["Tagged"]["tag.age"], rows["Tagged"]["tag.roof"]) == ("old", "'=south")
    assert (rows["Bare"]["tag.age"], rows["Bare"]["tag.roof"]) == ("", "")
    assert not [one for one in _preview(desk.partner, export, kind)["problems"] if one["column"].startswith("tag.")]


def test_a_list_as_a_workbook(desk: Any) -> None:
    answer = desk.partner.get("/directory/export?kind=sites&format=xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    head, *rows = book.worksheets[0].iter_rows()
    names = [cell.value for cell in head]
    (row,) = [one for one in rows if one[names.index("name")].value == "Mill"]
    cell = row[names.index("city")]
    assert (cell.data_type, cell.value) == ("s", f"'{EVIL}")
    assert "Barn" not in [one[names.index("name")].value for one in rows]


@pytest.mark.parametrize("kind", ["devices", "people"])
def test_other_lists(desk: Any, kind: str) -> None:
    text = desk.partner.get(f"/directory/export?kind={kind}").text
    assert "organization" in text.splitlines()[0]
    assert ("desk@mill.example" in text) == (kind == "people")
    assert desk.user.get("/directory/export?kind=people").status_code == 403


def _preview(client: httpx.Client, text: str | bytes, kind: str = "sites") -> Any:
    return _told(client.post(f"/imports?kind={kind}", content=text.encode() if isinstance(text, str) else text))


def test_sites_from_a_file(desk: Any) -> None:
    text = (
        "name;zone;city;area_m2;tag.roof;id;nonsense\r\n"
        "Import 1;Europe/Paris;Lyon;120,5;south;;x\r\n"
        "Import 2;Mars/Base;;;;;\r\n"
        "Import 3;Europe/Paris;;wide;;;\r\n"
        f";;Brest;;;{desk.mill};\r\n"
        f";;Stolen;;;{desk.barn};\r\n"
        "Import 4;UTC;=1+1;;;;\r\n"
    )
    preview = _preview(desk.partner, text)
    assert (preview["create"], preview["change"]) == (1, 1)
    assert [(one["line"], one["column"]) for one in sorted(preview["problems"], key=lambda one: one["line"])] == [
        (1, "nonsense"), (3, ""), (4, "area_m2"), (6, "id"), (7, "city"),
    ]  # fmt: skip
    assert _told(desk.partner.get("/sites", params={"q": "import"}))["total"] == 0
    assert desk.user.post("/imports/apply", json={"token": preview["token"]}).status_code == 404
    done = _told(desk.partner.post("/imports/apply", json={"token": preview["token"], "kind": "sites"}))
    assert (done["created"], done["changed"], len(done["problems"])) == (1, 1, 5)
    (row,) = _told(desk.partner.get("/sites", params={"q": "import"}))["rows"]
    assert (row["area_m2"], row["tags"], row["organization_id"]) == (120.5, {"roof": "south"}, desk.one)
    assert _told(desk.partner.get(f"/sites/{desk.mill}"))["city"] == "Brest"
    assert desk.office.registry.site(desk.barn).city == "Foreign"
    assert desk.partner.post("/imports/apply", json={"token": preview["token"]}).status_code == 404


def test_lines_go_only_where_one_may(desk: Any) -> None:
    text = f"name,zone,organization_id,organization\nA,UTC,{desk.two},\nB,UTC,,Desk 2\nC,UTC,,Desk 1\n"
    preview = _preview(desk.partner, text)
    assert (preview["create"], [one["line"] for one in preview["problems"]]) == (1, [2, 3])
    assert desk.user.post("/imports?kind=sites", content=b"name,zone\nA,UTC\n").status_code == 403
    devices = _preview(desk.partner, f"name,site_id,firmware\nM,{desk.mill},1\nN,{desk.barn},1\n", "devices")
    assert (devices["create"], [one["line"] for one in devices["problems"]]) == (1, [3])
    people = _preview(
        desk.partner, f"email,role,site_id\na@b.example,user,{desk.mill}\nc@d.example,owner,{desk.mill}\n", "people"
    )
    assert (people["create"], [one["line"] for one in people["problems"]]) == (1, [3])
    done = _told(desk.partner.post("/imports/apply", json={"token": people["token"]}))
    assert done["created"] == 1


def test_people_from_a_file(desk: Any) -> None:
    known = _told(desk.partner.get("/people"))["rows"][0]["email"]
    lines = [
        "email,role,site_id,organization_id", f"first@desk.example,user,{desk.mill},", f"{known},user,{desk.mill},",
        f"first@desk.example.,user,{desk.mill},", f"second@desk.example,user,,{desk.one}",
        f"third@desk.example,manager,,{desk.one}",
    ]  # fmt: skip
    preview = _preview(desk.partner, "\n".join(lines) + "\n", "people")
    assert (preview["create"], [one["line"] for one in preview["problems"]]) == (2, [3, 4, 5])
    done = _told(desk.partner.post("/imports/apply", json={"token": preview["token"]}))
    assert (done["created"], done["problems"]) == (preview["create"], preview["problems"])
    assert [(one["line"], one["email"]) for one in done["links"]] == [
        (2, "first@desk.example"), (6, "third@desk.example"),
    ]  # fmt: skip
    with desk.office.client() as door:
        answer = {"token": done["links"][0]["link"].partition("?token=")[2], "password": "correct horse battery"}
        assert _told(door.post("/invitations/accept", json=answer)) == {"email": "first@desk.example"}


def test_an_export_of_people_is_imported_again(desk: Any) -> None:
    registry, owner = desk.office.registry, desk.office.signed_in()
    mill, hall = (registry.create_site(desk.one, name, "UTC").id for name in ("Round trip", "Round hall"))
    with desk.office.join("round@trip.example", "user", site_id=mill) as client:
        person = client.get("/session").json()["account_id"]
    asked = {"kind": "people", "q": "round@trip.example", "format": "csv"}
    export = desk.partner.get("/directory/export", params=asked).content.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(export))
    assert (row["role"], row["site_id"], row["site"], row["organization_id"]) == ("user", str(mill), "Round trip", "")

    def file(**changed: str) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, [*row, "tag.team"])
        writer.writeheader()
        writer.writerow(row | changed)
        return text.getvalue()

    with owner:
        told = _preview(owner, export, "people")
        assert (told["create"], told["change"], told["problems"]) == (0, 1, [])
        told = _preview(owner, file(**{"phone": "'+33 1", "tag.team": "red"}), "people")
        done = _told(owner.post("/imports/apply", json={"token": told["token"]}))
        assert (done["created"], done["changed"], done["problems"]) == (0, 1, [])
        now = _told(owner.get(f"/people/{person}"))
        assert (now["phone"], now["tags"], now["roles"]) == ("+33 1", {"team": "red"}, ["user"])
        for changed in ({"role": "manager"}, {"site_id": str(hall)}):
            told = _preview(owner, file(**changed), "people")
            assert [(one["line"], one["column"]) for one in told["problems"]] == [(2, "role")], changed
        strange = _preview(owner, file(email="other@trip.example", site_id=str(hall)), "people")
        assert [(one["line"], one["column"]) for one in strange["problems"]] == [(2, "site")], "not into a wrong home"
        both = f"email,role,organization,organization_id\nother@trip.example,partner,Elsewhere,{desk.one}\n"
        assert [one["column"] for one in _preview(owner, both, "people")["problems"]] == ["organization"]
        elsewhere = _preview(owner, file(email="other@trip.example"), "people")
        assert (elsewhere["create"], elsewhere["problems"]) == (1, []), "the id of another server is none of here"
        done = _told(owner.post("/imports/apply", json={"token": elsewhere["token"]}))
        assert [one["email"] for one in done["links"]] == ["other@trip.example"]
    refused = _preview(desk.partner, file(id=str(person), role="owner"), "people")
    assert (refused["change"], len(refused["problems"])) == (0, 1)


def test_previews_that_wait_are_bounded_in_bytes() -> None:
    waiting = Waiting()
    mine = [waiting.keep(1, "sites", bytes(MOST_BYTES_EACH // 2)) for _ in range(3)]
    assert [waiting.take(1, token) is not None for token in mine] == [False, True, True]
    others = [waiting.keep(who, "sites", bytes(MOST_BYTES_EACH)) for who in range(2, 6)]
    assert MOST_BYTES // MOST_BYTES_EACH == 3
    assert [waiting.take(who, token) is not None for who, token in enumerate(others, 2)] == [False, True, True, True]
    assert waiting.take(9, waiting.keep(8, "sites", b"name")) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name,city\nA,Lyon\nB,"Paris\nC,Brest\n', 3),
        ('name,city\n"A\nhouse",Lyon\nB,"Paris" centre\n', 4),
        ('name,"city\nA,Lyon\n', 1),
        ('name,city\nA,"' + "Lyon\n" * 50_000, 2),
    ],
)
def test_a_quote_that_is_not_closed_swallows_nothing(text: str, line: int) -> None:
    with pytest.raises(Refused) as refused:
        tables_in.read(text.encode())
    assert (refused.value.code, refused.value.figures) == ("table.quote", {"line": line})


def test_a_cell_that_is_much_too_long_costs_its_line() -> None:
    sheet = tables_in.read(("name,note\nA,x\nB," + "x" * 200_000 + '\nC,"' + "y " * 200_000 + '"\nD,z\n').encode())
    assert [line.cells["name"] for line in sheet.lines] == ["A", "D"]
    assert [(one.line, one.column, one.code) for one in sheet.problems] == [
        (3, "note", "cell.long"), (4, "note", "cell.long"),
    ]  # fmt: skip


RECKONS = [
    "=1+1", "'=1+1", "\n=1+1", "'\n=1+1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201", " \uff1d1",
    "\tx", "+33 1", "-2", "@a",
]  # fmt: skip


@pytest.mark.unit
@pytest.mark.parametrize("text", [*RECKONS, "'s Gravenhage", "''", "'", "Lyon", ""])
def test_a_cell_that_would_reckon_is_quoted_and_comes_back(text: str) -> None:
    written = safe(text)
    assert (written == f"'{text}") is (text in RECKONS), written
    assert not written.lstrip().startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20"))
    quoted = written.replace('"', '""')
    (line,) = tables_in.read(f'note,name\n"{quoted}",x\n'.encode()).lines
    assert line.cells == {"note": text, "name": "x"}


def _workbook(*rows: list[Any]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate(rows):
            for place, value in enumerate(row):
                sheet.write(line, place, value)
    return file.getvalue()


def test_a_workbook_with_formulas() -> None:
    sheet = tables_in.read(_workbook(["name", "city"], ["A", "Lyon"], ["B", "=1+1"], ["C", 5]))
    assert [line.cells for line in sheet.lines] == [{"name": "A", "city": "Lyon"}, {"name": "C", "city": "5"}]
    assert [(one.line, one.column, one.code) for one in sheet.problems] == [(3, "city", "cell.formula")]


def test_a_workbook_with_numbers_that_are_none() -> None:
    plain = _workbook(["name", "area_m2"], ["A", 12345.5])
    huge = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as source, zipfile.ZipFile(huge, "w") as target:
        for part in source.namelist():
            target.writestr(part, source.read(part).replace(b"<v>12345.5</v>", b"<v>1e999</v>"))
    assert tables_in.read(huge.getvalue()).lines[0].cells == {"name": "A", "area_m2": "inf"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_workbook_in_which_few_bytes_stand_for_endless_text(encoding: str) -> None:
    plain, endless = _workbook(["name", "note"], ["A", 12345.5]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as source, zipfile.ZipFile(endless, "w") as target:
        for part in source.namelist():
            text = source.read(part)
            if part.startswith("xl/worksheets/"):
                told = text.decode().replace("<v>12345.5</v>", "<v>&e;</v>")
                told = told[told.index("<worksheet") :]
                text = f'<!DOCTYPE worksheet [<!ENTITY e "{"1" * 300}">]>{told}'.encode(encoding)
            target.writestr(part, text)
    with pytest.raises(Refused, match="entities"):
        tables_in.read(endless.getvalue())


def test_files_that_are_too_much() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * 150_000_000)
    cell = tables_in.read(("name,note\nA," + "x" * 20_000 + "\n").encode())
    assert [(one.line, one.column, one.code) for one in cell.problems] == [(2, "note", "cell.long")]
    for content in (bomb.getvalue(), b"x" * 10_000_001, b"PK\x03\x04junk", b"\xff\xfe\x00", b"", b"a,a\n1,2\n"):
        with pytest.raises(Refused) as refused:
            tables_in.read(content)
        assert refused.value.code.startswith(("file.", "table."))
    with pytest.raises(Refused):
        tables_in.read(("name\n" + "x\n" * 20_002).encode())
    with pytest.raises(Refused):
        tables_in.read(b'name\n"' + b"x" * 9_000_000)
