"""The JSON API below ``/api/v1``: one file per noun; it never serves pages or another product's protocol."""

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from wattstead.web.api import (
    account,
    invitations,
    keys,
    live,
    people,
    points,
    readings,
    reason,
    recover,
    register,
    series,
    session,
    sessions,
    sites,
    status,
    templates,
    totp,
)

ROUTES: list[HTTPRouteHandler | Router] = [
    session.routes,
    sessions.routes,
    account.routes,
    totp.routes,
    register.routes,
    register.verification,
    recover.routes,
    reason.routes,
    invitations.routes,
    people.routes,
    sites.routes,
    points.routes,
    series.routes,
    readings.readings,
    readings.span,
    live.routes,
    keys.routes,
    status.routes,
    templates.routes,
    templates.rollover,
]
"""Every route of the API; a new noun is a file and a row here."""
