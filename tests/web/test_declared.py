"""Nobody forgets to say who may ask: a route that declares no right stops the start."""

from __future__ import annotations

import pytest
from litestar import Router, get
from litestar.datastructures import State

from wattstead.registry.policy import Action, Resource
from wattstead.web import api, app
from wattstead.web.access.gate import OPEN, needs

pytestmark = pytest.mark.unit


@get("/silent", sync_to_thread=False)
def silent() -> str:
    """A route that says nothing."""
    return ""


@get("/told", sync_to_thread=False, opt=OPEN)
def told() -> str:
    """A route that says that anybody may ask."""
    return ""


@get("/told-too", sync_to_thread=False, opt=needs(Action.SEE, Resource.SITE))
def told_too() -> str:
    """A route that names a right."""
    return ""


def test_a_route_that_declares_no_right_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    known = list(api.ROUTES)
    monkeypatch.setattr(api, "ROUTES", [*known, Router("/more", route_handlers=[told, told_too])])
    app._litestar(State({}))
    monkeypatch.setattr(api, "ROUTES", [*known, Router("/more", route_handlers=[told, silent])])
    with pytest.raises(RuntimeError, match=r"declare no right .*: /api/v1/more/silent$"):
        app._litestar(State({}))
