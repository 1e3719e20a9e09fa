"""A fleet with two partners who must not see each other, and what its tests ask of answers."""

from __future__ import annotations

from typing import Any

import httpx


class Fleet:
    """A fleet with two partners, each with a site and its user."""

    def __init__(self, office: Any) -> None:
        self.office, registry = office, office.registry
        self.root = office.root
        self.one, self.two = (registry.create_organization(f"Partner {n}", office.root).id for n in "12")
        self.mill = registry.create_site(self.one, "Watermill", "Europe/Paris", attributes={"city": "Lyon"}).id
        self.barn = registry.create_site(self.two, "Barn", "Europe/Paris", attributes={"city": "Lyon"}).id
        self.owner = office.signed_in()
        self.partner = office.join("one@partner.example", "partner", organization_id=self.one)
        self.rival = office.join("two@partner.example", "partner", organization_id=self.two)
        self.user = office.join("user@mill.example", "user", site_id=self.mill)


def said(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def if_match(client: httpx.Client, path: str) -> dict[str, str]:
    return {"If-Match": client.get(path).headers["ETag"]}
