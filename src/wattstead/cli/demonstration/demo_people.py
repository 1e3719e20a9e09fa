"""The demo's people: one of each role, each with a password that is told in ``demo.json`` and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TypedDict

from wattstead.registry.authority import Authority, Stand
from wattstead.registry.policy import Role
from wattstead.registry.records import Account
from wattstead.registry.registry import Registry
from wattstead.registry.trail import Actor

_NAMES: Mapping[Role, str] = {
    Role.ADMINISTRATOR: "Ada, who runs the platform",
    Role.AUDITOR: "Auguste, who audits the fleet",
    Role.PARTNER: "Petra, who installs",
    Role.OPERATOR: "Oscar, who helps customers",
    Role.MANAGER: "Maya, who manages a site's energy",
    Role.USER: "Ursula, who lives here",
    Role.GUEST: "Gustav, who was shown a home",
}


class Login(TypedDict):
    """How somebody gets in."""

    role: str
    email: str
    password: str


class Standing(TypedDict):
    """Where a person of the demo stands: one of the two, or neither for the platform."""

    organization_id: int | None
    site_id: int | None


def invite(registry: Registry, owner: Account, places: Mapping[Role, Standing], known: list[Login]) -> list[Login]:
    """The logins with one more for each role that has none yet."""
    there = {login["role"] for login in known}
    accounts = {account.email: account.id for account in registry.accounts()}
    platform = Authority((Stand(Role.ADMINISTRATOR, "/"),))
    made = list(known)
    for role, place in places.items():
        if role.value in there:
            continue
        email, password = f"{role.value}@demo.localdomain", secrets.token_urlsafe(12)
        if email in accounts:  # a first start was interrupted before it told the password
            registry.change_password(accounts[email], password)
        else:
            asked = registry.invite(Actor(owner.id), platform, email, role, **place)
            registry.accept_invitation(asked.token, _NAMES[role], password, proven=True)
        made.append({"role": role.value, "email": email, "password": password})
    return made
