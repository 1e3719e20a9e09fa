"""Templates: those that come with the product, what is refused of others, and where the error is."""

from __future__ import annotations

from pathlib import Path

import pytest

from wattstead.metering.quantity import Kind
from wattstead.registry.errors import TemplateInvalid, Unknown
from wattstead.registry.templates.library import Library, Shelved, Source, of_folder, shipped
from wattstead.registry.templates.reading import LARGEST, template_of

pytestmark = pytest.mark.unit
GOOD = """\
name: meter
revision: 2
title: A meter
speaks: modbus
points:
  - name: Power
    address: power
    quantity: electricity
    unit: W
  - name: Bought
    address: import
    kind: register
    quantity: electricity
    unit: kWh
    scale: 0.01
    width: 1000000
    max_rate: 36
reporting:
  mobile: {interval_s: 300, points: [import]}
  ethernet: {interval_s: 5}
defaults: {connection: ethernet}
"""


def test_at_least_25_templates_come_with_the_product() -> None:
    found = shipped()
    assert len(found) >= 25
    assert len({one.template.name for one in found}) == len(found)
    assert all("# Source: " in one.text.split("\n", 1)[0] for one in found)


@pytest.mark.parametrize("one", shipped(), ids=lambda one: str(one.template.name))
def test_a_file_is_named_like_its_template_and_says_how_it_reports(one: Shelved) -> None:
    template = one.template
    assert template.reporting
    assert template.reporting_of("") is template.reporting[template.defaults.connection]
    assert any(point.kind is not Kind.STATE for point in template.points)


def test_a_template_declares_points_below_a_prefix() -> None:
    made = template_of(GOOD, "meter.yaml")
    power, bought = (point.declaration("plant/", 7) for point in made.points)
    assert (power.address, power.unit, power.device_id) == ("plant/power", "W", 7)
    assert (bought.resolution, bought.width) == (0.01, 1_000_000)
    assert bought.max_rate == pytest.approx(1.0)  # 36 kWh an hour are 0.01 kWh a second
    assert made.prefix == "meter/"
    assert made.reporting["mobile"].points == ["import"]


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ("unit: kWh", "unit: kwh", 14, "points[1].unit"),
        ("unit: kWh", "unit: °C", 10, "points[1]"),
        ("kind: register", "kind: meter", 12, "points[1].kind"),
        ("address: import", "address: power", 11, "points[1].address"),
        ("address: import", 'address: "a\\tb"', 11, "points[1].address"),
        ("width: 1000000", "width: 1000001", 10, "points[1]"),
        ("width: 1000000", "width: many", 16, "points[1].width"),
        ("max_rate: 36", "max_rate: .inf", 17, ""),
        ("max_rate: 36", "max_rates: 36", 17, "points[1].max_rates"),
        ("revision: 2", "revision: 0", 2, "revision"),
        ("name: meter", "name: ../meter", 1, "name"),
        ("points: [import]", "points: [export]", 19, "reporting.mobile.points[0]"),
        ("connection: ethernet", "connection: radio", 21, "defaults.connection"),
        ("title: A meter", "title: A meter\ntitle: Another", 4, "title"),
        ("title: A meter", "title: !!python/object/apply:os.system [ls]", 3, ""),
        ("title: A meter", "title: &a A meter\nmaker: *a", 4, ""),
        ("title: A meter", "title: 2024-01-01", 3, "title"),
        ("title: A meter", "title: [", 5, ""),
        ("title: A meter", "title: " + "[" * 5_000, 3, ""),
        (GOOD, "", 1, ""),
        (GOOD, "- 1", 1, ""),
        (GOOD, "name: a\x00", 1, ""),
        (GOOD, "#" * (LARGEST + 1), 1, ""),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_field(old: str, new: str, line: int, field: str) -> None:
    with pytest.raises(TemplateInvalid) as found:
        template_of(GOOD.replace(old, new), "meter.yaml")
    assert (found.value.file, found.value.line, found.value.field) == ("meter.yaml", line, field)
    assert str(found.value).startswith(f"meter.yaml, line {line}")


def test_a_folder_adds_templates_and_a_faulty_file_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD.replace("revision: 2", "revision: 3"))
    (tmp_path / "broken.yaml").write_text("name: [")
    (tmp_path / "latin.yaml").write_bytes("title: Zähler".encode("latin-1"))
    (tmp_path / "note.txt").write_text("not a template")
    found, wrong = of_folder(tmp_path)
    assert sorted(error.file for error in wrong) == ["broken.yaml", "latin.yaml"]
    library = Library([*shipped(), *found])
    assert library.find("meter").template.revision == 3
    assert library.find("meter", 2).source is Source.FOLDER
    with pytest.raises(Unknown):
        library.find("meter", 4)
    assert of_folder(None) == ([], [])
    assert of_folder(tmp_path / "missing") == ([], [])
