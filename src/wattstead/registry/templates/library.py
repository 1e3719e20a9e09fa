"""Library: the templates that come with the product and those of a folder; own ones of organizations are in `own`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from wattstead.registry.errors import TemplateInvalid, Unknown
from wattstead.registry.templates.template import LARGEST, Template

_MOST_FILES = 2_000


class Source(StrEnum):
    """Where a template is from; a later one of these is taken where several declare the same revision."""

    SHIPPED = "shipped"
    FOLDER = "folder"
    OWN = "own"


class Shelved(msgspec.Struct, frozen=True):
    """A template, its text and where it is from."""

    template: Template
    text: str
    source: Source
    organization_id: int | None = None
    """Whose own it is."""
    id: int | None = None


class Library:
    """Templates by name and revision."""

    def __init__(self, shelved: Iterable[Shelved]) -> None:
        """Of two that declare the same, the later one is taken."""
        self._shelved = {(one.template.name, one.template.revision): one for one in shelved}

    def __iter__(self) -> Iterator[Shelved]:
        return iter(self._shelved[key] for key in sorted(self._shelved))

    def find(self, name: str, revision: int | None = None) -> Shelved:
        """The template of that name, in its newest revision unless one is named; raises `Unknown`."""
        wanted = max((r for n, r in self._shelved if n == name), default=0) if revision is None else revision
        found = self._shelved.get((name, wanted))
        if found is None:
            raise Unknown("template", name if revision is None else f"{name} {revision}")
        return found


@cache
def shipped() -> tuple[Shelved, ...]:
    """The templates that come with the product; read once."""
    from wattstead.registry.templates.reading import template_of  # noqa: PLC0415 - with YAML, which most edges never read

    found = sorted((file for file in files(__package__).joinpath("shipped").iterdir()), key=lambda file: file.name)
    return tuple(
        Shelved(template_of(text, file.name), text, Source.SHIPPED)
        for file in found
        if file.name.endswith(".yaml")
        for text in [file.read_text("utf-8")]
    )


def of_folder(folder: Path | None) -> tuple[list[Shelved], list[TemplateInvalid]]:
    """The templates of a folder, and what is wrong with those of its files that are none."""
    from wattstead.registry.templates.reading import template_of  # noqa: PLC0415

    shelved: list[Shelved] = []
    wrong: list[TemplateInvalid] = []
    if folder is None or not folder.is_dir():
        return shelved, wrong
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])[:_MOST_FILES]:
        try:
            text = _text(path)
            shelved.append(Shelved(template_of(text, path.name), text, Source.FOLDER))
        except TemplateInvalid as error:
            wrong.append(error)
    return shelved, wrong


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(LARGEST + 1)
        return head.decode("utf-8")
    except OSError as error:
        raise TemplateInvalid(path.name, 1, "", f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = head[: error.start].count(b"\n") + 1
        raise TemplateInvalid(path.name, line, "", "is not UTF-8") from None
