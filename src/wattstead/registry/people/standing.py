"""Questions about other people: the directory, changes, roles, looking through their eyes; rules are in `changes`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from wattstead.registry import names
from wattstead.registry.authority import Authority, Reach
from wattstead.registry.door import Door
from wattstead.registry.errors import EmailTaken
from wattstead.registry.people import accounts, changes, emails, listing, roles, sessions
from wattstead.registry.people.joining import invitations
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import Account, Membership, PeoplePage, PeopleQuery, PersonChange, PersonRow
from wattstead.registry.storage import dataset
from wattstead.registry.trail import Actor, note

_SEE = Right(Action.SEE, Resource.PERSON)


class Standing(Door):
    """Who there is, and what becomes of them."""

    def accounts(self) -> list[Account]:
        """Every account, by id."""
        with self._db.reading() as s:
            return accounts.accounts(s)

    def people(self, reach: Reach | None, query: PeopleQuery) -> PeoplePage:
        """A page of the people within reach; raises `NameInvalid` for an attribute, sort or cursor that is none."""
        with self._db.reading() as s:
            return listing.people(s, reach, query, self._clock())

    def tags_of_people(self, reach: Reach | None, query: PeopleQuery) -> tuple[str, ...]:
        """The keys of the tags of the people that a question finds, in order."""
        with self._db.reading() as s:
            return listing.tag_keys(s, reach, query, self._clock())

    def person(self, reach: Reach | None, account_id: int) -> PersonRow:
        """One person within reach; raises `Unknown`."""
        with self._db.reading() as s:
            return listing.person(s, reach, account_id)

    def create_person(
        self,
        actor: Actor,
        authority: Authority,
        email: str,
        role: Role,
        told: PersonChange,
        *,
        organization_id: int | None = None,
        site_id: int | None = None,
    ) -> Account | None:
        """A person who waits to be invited to a role that is theirs to give; nothing is held before the answer.

        `invite` with the same address lets them set a password. None, and nothing is made, for whoever does not see
        everybody: whether somebody else has an account with that address is not theirs to learn; what they tell goes
        with the invitation. Raises `RoleRefused`, `EmailTaken`, `NameInvalid`.
        """
        now = self._clock()
        with self._db.writing() as s:
            roles.check_given(s, authority, role, organization_id, site_id)
            if not self._is_free(s, authority, email):
                return None
            home = invitations.home(s, organization_id, site_id, actor.account_id)
            made = accounts.create(s, home, email, "", now, state="invited")
            made = changes.put_attributes(s, made.id, told)
            note(s, now, actor, "create", Resource.PERSON, made.id, organization_id=home, after={"email": made.email})
            return made

    def check_person(
        self,
        authority: Authority,
        email: str,
        role: Role,
        told: PersonChange,
        *,
        organization_id: int | None = None,
        site_id: int | None = None,
    ) -> None:
        """Raise what `create_person` would; makes nothing."""
        with self._db.reading() as s:
            roles.check_given(s, authority, role, organization_id, site_id)
            self._is_free(s, authority, email)
            changes.check_attributes(told)

    def _is_free(self, s: Session, authority: Authority, email: str) -> bool:
        """Whether an account can be made of an address by somebody who sees everybody; raises what may be told."""
        see = authority.reach(_SEE)
        if see.everywhere:
            accounts.free_email(s, email)
            return True
        plain = emails.checked(email)
        row = accounts.of_email(s, plain)
        if row is not None and listing.is_known(s, see, row.id):
            raise EmailTaken(plain)
        return False

    def change_person(
        self, actor: Actor, authority: Authority, account_id: int, told: PersonChange, version: int | None = None
    ) -> Account:
        """Change what is told; see `changes.change`.

        Raises `Unknown`, `Stale`, `RoleRefused`, `EmailTaken`, `NameInvalid`.
        """
        with self._db.writing() as s:
            return changes.change(s, actor, authority, account_id, told, version, self._clock())

    def check_change(self, actor: Actor, authority: Authority, account_id: int, told: PersonChange) -> None:
        """Raise what `change_person` would for words and tags; changes nothing."""
        with self._db.reading() as s:
            changes.check_in_hand(s, actor, authority, account_id, self._clock())
            changes.check_attributes(told)

    def delete_person(self, actor: Actor, authority: Authority, account_id: int, version: int | None = None) -> None:
        """Delete a person for good; raises `Unknown`, `Stale`, `RoleRefused`."""
        with self._db.writing() as s:
            changes.remove(s, actor, authority, account_id, version, self._clock())

    def give_role(
        self,
        actor: Actor,
        authority: Authority,
        account_id: int,
        role: Role,
        *,
        organization_id: int | None = None,
        site_id: int | None = None,
        expires: datetime | None = None,
    ) -> Membership:
        """Give somebody a role somewhere; raises `Unknown`, `RoleRefused`, `NameInvalid`."""
        with self._db.writing() as s:
            return roles.give(
                s, actor, authority, account_id, role, self._clock(),
                organization_id=organization_id, site_id=site_id, expires=expires,
            )  # fmt: skip

    def take_role(self, actor: Actor, authority: Authority, account_id: int, membership_id: int) -> None:
        """Take a role back; raises `Unknown`, `RoleRefused`."""
        with self._db.writing() as s:
            roles.take(s, actor, authority, account_id, membership_id, self._clock())

    def suspend_roles(self, actor: Actor, authority: Authority, account_id: int) -> int:
        """Let each role of a person that one sees and could give count for nothing; see `roles.suspend`."""
        with self._db.writing() as s:
            return roles.suspend(s, actor, authority, authority.reach(_SEE), account_id, self._clock())

    def resume_roles(self, actor: Actor, authority: Authority, account_id: int) -> int:
        """Let those roles count again; see `roles.resume`."""
        with self._db.writing() as s:
            return roles.resume(s, actor, authority, authority.reach(_SEE), account_id, self._clock())

    def impersonate(
        self,
        actor: Actor,
        authority: Authority,
        account_id: int,
        reason: str = "",
        *,
        agent: str = "",
        address: str = "",
    ) -> str:
        """The token of a session in which an administrator looks through somebody's eyes; raises `RoleRefused`."""
        with self._db.writing() as s:
            return changes.impersonate(
                s, actor, authority, account_id, self._clock(), reason=reason, agent=agent, address=address
            )

    def tell_reason(self, actor: Actor, session: str, reason: str) -> None:
        """Say why an operator looks, for the rest of the named session; kept in the trail; raises `Unknown`."""
        if actor.account_id is None:
            return
        now, reason = self._clock(), names.checked("reason", reason.strip())
        with self._db.writing() as s:
            home = accounts.account(s, actor.account_id).organization_id
            sessions.tell_reason(s, actor.account_id, session, reason)
            note(
                s, now, actor, "reason", Resource.SELF, actor.account_id, organization_id=home, reason=reason
            )  # fmt: skip
            dataset.bump(s)
