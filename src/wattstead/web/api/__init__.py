"""The JSON API below ``/api/v1``: people, places, readings, one noun a file; no pages, no other product's protocol."""

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from wattstead.web.api import directory, imports, status, templates, trail, trust
from wattstead.web.api.people import (
    account,
    invitations,
    outside,
    passkeys,
    people,
    reason,
    recover,
    register,
    session,
    sessions,
    totp,
)
from wattstead.web.api.places import (
    device_actions,
    devices,
    edges,
    keys,
    organizations,
    shares,
    site_access,
    sites,
    spaces,
)
from wattstead.web.api.readings import corrections, live, points, readings, series
from wattstead.web.api.sources.connections import connections
from wattstead.web.api.sources.dead_letters import dead_letters
from wattstead.web.api.sources.looking import looking

ROUTES: list[HTTPRouteHandler | Router] = [
    session.routes,
    sessions.routes,
    account.routes,
    totp.routes,
    passkeys.routes,
    passkeys.login,
    outside.routes,
    register.routes,
    register.verification,
    recover.routes,
    reason.routes,
    invitations.routes,
    people.routes,
    organizations.routes,
    sites.routes,
    site_access.routes,
    spaces.routes,
    devices.routes,
    device_actions.routes,
    shares.routes,
    shares.opening,
    trail.routes,
    directory.routes,
    imports.routes,
    points.routes,
    series.routes,
    readings.readings,
    readings.readings_page,
    readings.span,
    corrections.routes,
    live.routes,
    keys.routes,
    edges.routes,
    looking,
    connections,
    dead_letters,
    status.routes,
    trust.routes,
    templates.routes,
    templates.rollover,
]
"""Every route of the API; a new noun is a file beside its like and a row here."""
