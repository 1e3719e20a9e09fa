"""Questions about how people join and come back: invitations, registration, mailed links; rules are in these modules.

Letters are written by the caller from a token that is known only inside the transaction that stores its hash.
"""

from __future__ import annotations

from collections.abc import Callable

from wattstead.registry import tables
from wattstead.registry.authority import Authority, Reach
from wattstead.registry.door import Door
from wattstead.registry.errors import EmailTaken, LinkInvalid, LoginFailed, RoleRefused, Unknown
from wattstead.registry.people import accounts, changes, emails, links, sessions
from wattstead.registry.people.joining import invitations, mails
from wattstead.registry.people.links import Purpose
from wattstead.registry.people.proofs import attempts, passwords
from wattstead.registry.policy import Role
from wattstead.registry.records import Account, Invitation, InvitationLook, Letter, NewInvitation, PersonChange
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import possible
from wattstead.registry.trail import Actor

Writing = Callable[[str], Letter]
"""Writes the letter with a token's link."""
_INVITATIONS = 300
"""How many mails with invitations one person may have sent within a quarter of an hour."""
_REGISTRATIONS, _RECOVERIES_OF_EMAIL, _RECOVERIES_OF_ADDRESS = 20, 3, 20
"""How often within a quarter of an hour: registering from one network address, a mail to one address, mails asked for
from one network address."""


class Joining(Door):
    """Who was asked to join, who joins, and who lost the password."""

    def invite(
        self,
        actor: Actor,
        authority: Authority,
        email: str,
        role: Role,
        *,
        organization_id: int | None = None,
        site_id: int | None = None,
        told: PersonChange | None = None,
        write: Callable[[NewInvitation, InvitationLook], Letter] | None = None,
    ) -> NewInvitation:
        """Ask an address to take a role; without ``write`` nothing is mailed and the caller shows the link.

        Raises `RoleRefused`, `NameInvalid`, `Unknown`, `LoginLimited`.
        """
        now = self._clock()
        with self._db.writing() as s:
            made = invitations.create(
                s, actor, authority, email, role, now, organization_id=organization_id, site_id=site_id, told=told
            )
            if write is not None:
                attempts.spend(s, "invitations of", str(actor.account_id), _INVITATIONS, now)
                mails.queue(s, write(made, invitations.look(s, made.token, now, proven=True)), now)
        return made

    def invitations(self, reach: Reach | None = None) -> list[Invitation]:
        """The invitations within reach that wait for an answer, the newest first."""
        with self._db.reading() as s:
            return invitations.invitations(s, reach, self._clock())

    def offered_shares(self, site_id: int) -> list[Invitation]:
        """The people who were asked to look at a site and have not answered."""
        with self._db.reading() as s:
            return invitations.of_guests(s, self._clock(), tables.Invitation.site_id.in_(possible([site_id])))

    def offered_share(self, invitation_id: int) -> Invitation:
        """One of `offered_shares`; raises `Unknown`."""
        with self._db.reading() as s:
            found = invitations.of_guests(s, self._clock(), tables.Invitation.id.in_(possible([invitation_id])))
        if not found:
            raise Unknown("share", invitation_id)
        return found[0]

    def revoke_invitation(self, actor: Actor, invitation_id: int, reach: Reach | None = None) -> None:
        """Take an invitation within reach back; raises `Unknown`."""
        with self._db.writing() as s:
            invitations.revoke(s, actor, invitation_id, reach, self._clock())

    def look_at_invitation(self, token: str, *, proven: bool = False) -> InvitationLook:
        """What an invitation offers; ``proven``: links are mailed; raises `LinkInvalid`."""
        with self._db.reading() as s:
            return invitations.look(s, token, self._clock(), proven=proven)

    def accept_invitation(
        self, token: str, name: str = "", password: str = "", *, signed_id: int | None = None, proven: bool = False
    ) -> Account:
        """Take the offered role, as a new person with a password or as the one who is signed in.

        Raises `LinkInvalid`, `RoleRefused`, `PasswordInvalid`, `NameInvalid`, `LoginBusy`.
        """
        self.look_at_invitation(token)  # hashing is dear: not for whoever guesses tokens
        hashed = self._passwords.submit(passwords.hashed, password).result() if password else ""
        with self._db.writing() as s:
            return invitations.accept(
                s, token, self._clock(), name=name, password_hash=hashed, signed_id=signed_id, proven=proven
            )

    def register(
        self,
        organization_id: int,
        email: str,
        password: str,
        name: str,
        address: str,
        *,
        verify: Writing | None,
        known: Callable[[], Letter] | None,
    ) -> None:
        """A new account in an organization that takes registrations; it gets no role by this.

        With letters the account waits for its address to be verified, and an address that has an account gets a letter
        instead, so that both look alike. Without them it can sign in at once; then `EmailTaken` tells.
        Raises `Unknown`, `NameInvalid`, `PasswordInvalid`, `LoginBusy`, `LoginLimited`.
        """
        now = self._clock()
        with self._db.writing() as s:
            attempts.spend(s, "register", address, _REGISTRATIONS, now)
        hashed = self._passwords.submit(passwords.hashed, password).result()
        with self._db.writing() as s:
            organization = s.get(tables.Organization, organization_id)
            if organization is None or not organization.registration or organization.disabled is not None:
                raise Unknown("organization that takes registrations", organization_id)
            try:
                state = "active" if verify is None else "invited"
                made = accounts.create(s, organization_id, email, hashed, now, name, state=state)
            except EmailTaken:
                if known is None:
                    raise
                mails.queue(s, known(), now)
                return
            if verify is not None:
                mails.queue(s, verify(links.create(s, made.id, Purpose.VERIFY, made.email, now)), now)

    def organizations_to_register_in(self) -> list[tuple[int, str]]:
        """Ids and names of the organizations in which people may register by themselves."""
        with self._db.reading() as s:
            row = tables.Organization
            found = s.query(row.id, row.name).where(row.registration.is_(True), row.disabled.is_(None))
            return [(identity, name) for identity, name in found.order_by(row.name, row.id).limit(500)]

    def verify(self, token: str) -> Account:
        """The address of a mailed link is its person's; raises `LinkInvalid`, `EmailTaken`."""
        now = self._clock()
        with self._db.writing() as s:
            link = links.take(s, token, now, Purpose.VERIFY, Purpose.EMAIL)
            row = accounts.row_of(s, link.account_id)
            if link.purpose == Purpose.EMAIL:
                changes.put_email(s, row, link.email, verified=now)
            elif link.email != row.email or row.state == "disabled":
                raise LinkInvalid
            row.state = "active" if row.state == "invited" and row.password_hash else row.state
            row.verified = now
            row.version += 1
            dataset.bump(s)
            return accounts.record(row)

    def change_own_email(
        self,
        account_id: int,
        email: str,
        password: str,
        address: str,
        write: Writing | None,
        known: Callable[[], Letter] | None = None,
    ) -> bool:
        """Begin with another address of one's own; whether it holds already, which it does when no letter is written.

        An address that has an account gets the letter ``known`` instead, so that both look alike.
        Raises `LoginFailed` for a wrong password, `LoginLimited`, `EmailTaken`, `NameInvalid`, `LoginBusy`.
        """
        account = self.check_own_password(account_id, password, address)
        now = self._clock()
        with self._db.writing() as s:
            row = accounts.row_of(s, account.id)
            if write is None:
                changes.put_email(s, row, email, verified=None)
                row.version += 1
                dataset.bump(s)
                return True
            attempts.spend(s, "mail", emails.folded(email), _RECOVERIES_OF_EMAIL, now)
            try:
                plain = accounts.free_email(s, email)
            except EmailTaken:
                if known is None:
                    raise
                mails.queue(s, known(), now)
                return False
            mails.queue(s, write(links.create(s, row.id, Purpose.EMAIL, plain, now)), now)
            return False

    def recover(self, email: str, address: str, write: Writing) -> None:
        """Have a letter sent that lets a new password be set, if the address has an active account; says nothing.

        Raises `LoginLimited`, whether or not there is an account.
        """
        now = self._clock()
        with self._db.writing() as s:
            attempts.spend(s, "mails from", address, _RECOVERIES_OF_ADDRESS, now)
            attempts.spend(s, "mail", attempts.one_spelling(email), _RECOVERIES_OF_EMAIL, now)
            row = accounts.of_email(s, email)
            if row is not None and row.state == "active":
                mails.queue(s, write(links.create(s, row.id, Purpose.RECOVER, row.email, now)), now)

    def finish_recovery(self, token: str, password: str) -> Account:
        """Set the password that a mailed link allows; every session ends; raises `LinkInvalid`, `PasswordInvalid`."""
        now = self._clock()
        with self._db.reading() as s:
            links.check(s, token, now, Purpose.RECOVER)  # hashing is dear: not for whoever guesses tokens
        hashed = self._passwords.submit(passwords.hashed, password).result()
        with self._db.writing() as s:
            link = links.take(s, token, now, Purpose.RECOVER)
            row = accounts.row_of(s, link.account_id)
            if row.email != link.email or row.state != "active":
                raise LinkInvalid
            row.password_hash, row.verified = hashed, row.verified or now
            row.version += 1
            sessions.end_all(s, row.id)
            links.void(s, row.id)
            dataset.bump(s)
            return accounts.record(row)

    def check_own_password(self, account_id: int, password: str, address: str) -> Account:
        """Whoever is signed in shows that it is they; raises `LoginFailed`, `LoginLimited`, `LoginBusy`, `Unknown`."""
        with self._db.reading() as s:
            account = accounts.account(s, account_id)
            attempts.check_failures(s, account.email, address, self._clock())
            found = accounts.password_hash_of(s, account.email)
        if found is None or not found[1]:
            raise RoleRefused(
                "password.unset", "this account has no password; set one with the link for a lost password"
            )
        if not self._passwords.submit(passwords.matches, found[1], password).result():
            with self._db.writing() as s:
                failure: LoginFailed = attempts.note_failure(s, account.email, address, self._clock())
            raise failure
        return account
