"""The OpenAPI 3.1 document of the JSON API, made from its routes; ``python -m wattstead.web.openapi`` writes it.

What ingest receives is described here by hand, because its routes stand beside the framework.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import msgspec
from litestar import HttpMethod, Litestar, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig

from wattstead import __version__
from wattstead.metering.errors import Issue
from wattstead.metering.quantity import UNITS
from wattstead.web import api
from wattstead.web.access.gate import COOKIE, DEPENDENCIES
from wattstead.web.problem import PROBLEM, Problem
from wattstead.web.reference.docstrings import field_texts, structs

DEFAULT_FILE = Path("frontend/src/api/openapi.json")
_ABOUT = (
    "Everything the pages of Wattstead show, for programs. Sign in for a session cookie, or send a read key as "
    "`Authorization: Bearer KEY`; write keys only write. Values are in SI base units, times in milliseconds since "
    "1970 unless said otherwise. Errors are problem+json with a request number."
)
_SECURITY = {
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "From POST /api/v1/session."},
    "read_key": {"type": "http", "scheme": "bearer", "description": "A read key of a site."},
    "write_key": {"type": "http", "scheme": "bearer", "description": "A write key of a site; it cannot read."},
}
_REF = "#/components/schemas/"
_POST_READINGS: dict[str, Any] = {
    "tags": ["readings"],
    "summary": "Post readings",
    "operationId": "post_readings",
    "description": "Readings as rows, as columns, or as an Arrow IPC stream with the columns point, time and value. "
    "A point is an address (a name that the sender chooses, up to 200 characters; new ones create their point) or a "
    "point's id. When the answer comes, the readings are safe on disk. Sending the same again changes nothing.",
    "security": [{"write_key": []}],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [{"$ref": _REF + "ReadingRows"}, {"$ref": _REF + "ReadingColumns"}]}
            },
            "application/vnd.apache.arrow.stream": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    "responses": {
        "200": {
            "description": "How many were taken, and which were not",
            "content": {"application/json": {"schema": {"$ref": _REF + "ReadingsTaken"}}},
        },
    },
}
_POINT = {"oneOf": [{"type": "string"}, {"type": "integer"}]}
_TIME = {"oneOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}
_UNIT = {
    "type": "string", "enum": ["s", "ms", "us", "ns"], "default": "s", "description": "Unit of times that are numbers.",
}  # fmt: skip
_SYMBOL = {
    "type": "string", "enum": [symbol for symbol in UNITS if symbol],
    "description": "Unit of the value, which is converted into that of the point; left out: it is in the point's own.",
}  # fmt: skip
_WRITING: dict[str, Any] = {
    "ReadingRow": {
        "type": "object",
        "required": ["point", "value"],
        "properties": {"point": _POINT, "time": _TIME, "value": {"type": "number"}, "unit": _SYMBOL},
        "additionalProperties": False,
    },
    "ReadingRows": {
        "type": "object",
        "required": ["readings"],
        "properties": {"time_unit": _UNIT, "readings": {"type": "array", "items": {"$ref": _REF + "ReadingRow"}}},
        "additionalProperties": False,
    },
    "ReadingColumns": {
        "type": "object",
        "required": ["point", "time", "value"],
        "properties": {
            "time_unit": _UNIT,
            "point": {"type": "array", "items": _POINT},
            "time": {"type": "array", "items": _TIME},
            "value": {"type": "array", "items": {"type": "number"}},
            "unit": {"oneOf": [_SYMBOL, {"type": "array", "items": _SYMBOL}]},
        },
        "additionalProperties": False,
    },
    "ReadingsTaken": {
        "type": "object",
        "required": ["accepted", "rejected"],
        "properties": {
            "accepted": {"type": "integer"},
            "rejected": {"type": "array", "items": {"$ref": _REF + "Issue"}},
        },
    },
}


def document() -> dict[str, Any]:
    """The document as plain values."""
    config = OpenAPIConfig(
        title="Wattstead",
        version=__version__,
        description=_ABOUT,
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
        path="/unused",
    )
    app = Litestar(
        [Router("/api/v1", route_handlers=[*api.ROUTES])],
        dependencies=DEPENDENCIES,
        openapi_config=config,
        logging_config=None,
    )
    spec: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema(), enc_hook=str))
    spec["openapi"] = "3.1.0"
    spec["servers"] = [{"url": "../.."}]
    spec["security"] = [{"session": []}, {"read_key": []}]
    spec["paths"].setdefault("/api/v1/readings", {})["post"] = _POST_READINGS
    components = spec.setdefault("components", {})
    components["securitySchemes"] = _SECURITY
    components.setdefault("schemas", {}).update(_WRITING | _problem())
    _tell_texts(components["schemas"])
    for item in spec["paths"].values():
        for operation in item.values():
            _tell_problems(operation)
    spec["paths"] = dict(sorted(spec["paths"].items()))
    components["schemas"] = dict(sorted(components["schemas"].items()))
    return spec


def _operation_id(handler: HTTPRouteHandler, method: HttpMethod | str, path: list[str | Any]) -> str:
    return handler.handler_name


def _problem() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components([Problem, Issue], ref_template=_REF + "{name}")
    return dict(schemas)


def _tell_texts(schemas: dict[str, Any]) -> None:
    """Put in what the source says about structs and fields."""
    for struct in structs():
        schema = schemas.get(struct.__name__, {})
        if "properties" in schema and set(schema["properties"]) <= set(struct.__struct_fields__):
            schema["description"] = inspect.cleandoc(struct.__doc__ or "")
            for field, text in field_texts(struct).items():
                if field in schema["properties"]:
                    schema["properties"][field]["description"] = text


def _tell_problems(operation: dict[str, Any]) -> None:
    """Every operation may answer with a problem, and with nothing else when it fails."""
    answers = operation["responses"]
    for status in [status for status in answers if status.startswith("4")]:
        del answers[status]
    answers["default"] = {
        "description": "What went wrong",
        "content": {PROBLEM: {"schema": {"$ref": _REF + "Problem"}}},
    }


def text() -> str:
    """The document as the file in the repository has it."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(f"writes {DEFAULT_FILE} and takes no arguments")
    DEFAULT_FILE.write_text(text(), encoding="utf-8")
