"""Reading a template from YAML text: bounded, without tags, anchors or repeated keys; each error has its line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import yaml
from yaml.constructor import SafeConstructor

from wattstead.registry.errors import TemplateInvalid
from wattstead.registry.templates.template import LARGEST, Template, faults

_DEEPEST = 12
_MAP, _LIST = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_AT = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<path>\$[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]*)`")
_PART = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<at>\d+)\]|\[(?P<any>\.\.\.)\]")


def template_of(text: str, file: str) -> Template:
    """The template that a text declares; ``file`` names it in errors. Raises `TemplateInvalid`.

    >>> made = template_of("{name: a, revision: 1, title: A, speaks: http, points: [{name: P, address: p}]}", "a.yaml")
    >>> made.title, made.points[0].address
    ('A', 'p')
    """
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise TemplateInvalid(file, 1, "", f"has more than {LARGEST:,} bytes; declare fewer points")
    top = _node(text, file)
    try:
        plain = _plain(top, file, SafeConstructor())
        made = msgspec.convert(plain, Template, strict=True)
    except msgspec.ValidationError as error:
        reason, path = _said(str(error))
        raise TemplateInvalid(file, _line(top, path), _shown(path), reason) from None
    for fault in faults(made):
        raise TemplateInvalid(file, _line(top, fault.path), _shown(fault.path), fault.reason)
    return made


def _node(text: str, file: str) -> yaml.Node:
    """The text as YAML's tree. Depth and references are looked at before anything is built of them."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            line = event.start_mark.line + 1
            if isinstance(event, yaml.AliasEvent):
                raise TemplateInvalid(file, line, "", "refers to another place (*); write it out")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise TemplateInvalid(file, line, "", f"is nested deeper than {_DEEPEST}")
        top = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise TemplateInvalid(file, mark.line + 1 if mark else 1, "", error.problem or "is no YAML") from None
    except (yaml.YAMLError, ValueError) as error:
        raise TemplateInvalid(file, 1, "", f"is no YAML: {str(error)[:200]}") from None
    if not isinstance(top, yaml.MappingNode):
        raise TemplateInvalid(file, 1, "", "is no mapping; expected name, revision, title, speaks and points")
    return top


def _plain(node: yaml.Node, file: str, scalars: SafeConstructor) -> Any:
    """Plain Python values of a tree, as `yaml.safe_load` makes them; a key that is there twice is refused."""
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode) and node.tag == _MAP:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = _plain(key_node, file, scalars)
            if not isinstance(key, str):
                raise TemplateInvalid(file, line, "", f"the key {str(key)[:40]!r} is no text; put it in quotes")
            if key in made:
                raise TemplateInvalid(file, key_node.start_mark.line + 1, key, "is there twice")
            made[key] = _plain(value_node, file, scalars)
        return made
    if isinstance(node, yaml.SequenceNode) and node.tag == _LIST:
        return [_plain(one, file, scalars) for one in node.value]
    if not isinstance(node, yaml.ScalarNode):
        raise TemplateInvalid(file, line, "", f"has the tag {node.tag[:80]!r}; leave it out")
    try:
        value = scalars.construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reason = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error)
        raise TemplateInvalid(file, line, "", str(reason)[:200]) from None
    if isinstance(value, float) and not math.isfinite(value):
        raise TemplateInvalid(file, line, "", f"is {value}; expected a finite number")
    return value


def _said(message: str) -> tuple[str, tuple[str | int, ...]]:
    """Reason and path of msgspec's message.

    >>> _said("Expected `str`, got `int` - at `$.points[2].unit`")
    ('Expected `str`, got `int`', ('points', 2, 'unit'))
    """
    found = _AT.match(message)
    reason, path = (found["reason"], found["path"] or "") if found else (message, "")
    parts: list[str | int] = [
        part["key"] if part["key"] is not None else int(part["at"]) if part["at"] else "..."
        for part in _PART.finditer(path)
    ]
    unknown = _UNKNOWN.search(reason)
    return reason, (*parts, unknown["field"]) if unknown else tuple(parts)


def _line(top: yaml.Node, path: Iterable[str | int]) -> int:
    """The line of what a path leads to, or of the last part of it that is there."""
    node, line = top, top.start_mark.line + 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            node, line = found[1], found[0].start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return int(line)


def _shown(path: Sequence[str | int]) -> str:
    """
    >>> _shown(("points", 2, "unit"))
    'points[2].unit'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
