"""Questions about people: accounts, logins, sessions, the directory; the rules are in the modules so named."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from datetime import timedelta

from wattstead.registry.errors import AccountNotActive, RegistryError, RoleRefused
from wattstead.registry.people import accounts, links, sessions
from wattstead.registry.people.joining.joining import Joining
from wattstead.registry.people.joining.outbox import Outbox
from wattstead.registry.people.proofs import attempts, passwords
from wattstead.registry.people.proofs.proving import Proving
from wattstead.registry.people.standing import Standing
from wattstead.registry.records import FirstOwner, OpenSession, Signed
from wattstead.registry.storage import dataset

_JUST_MINUTES = 10
_JUST = timedelta(minutes=_JUST_MINUTES)
"""For so long after signing in somebody without a password need not show again that it is they."""


class People(Joining, Outbox, Proving, Standing):
    """Who may sign in, and who has."""

    def first_owner(self, email: str, password: str | None = None) -> FirstOwner | None:
        """Create the owner and the root organization of a new registry; None when accounts exist.

        Without a password a random one is made, to be printed once. Raises `PasswordInvalid`, `NameInvalid`.
        """
        password = passwords.random_password() if password is None else password
        hashed = passwords.hashed(password)
        with self._db.writing() as s:
            account = accounts.first_owner(s, email, hashed, self._clock())
        return FirstOwner(account, password) if account else None

    def change_password(self, account_id: int, password: str, keep: str = "") -> None:
        """Set a password; every session of the account ends but the one named ``keep``, and links that were mailed.

        Raises `PasswordInvalid`, `Unknown`, `LoginBusy`.
        """
        hashed = self._passwords.submit(passwords.hashed, password).result()
        with self._db.writing() as s:
            accounts.put_password_hash(s, account_id, hashed)
            links.void(s, account_id)
            if keep:
                sessions.end_others(s, account_id, keep)
            else:
                sessions.end_all(s, account_id)
            dataset.bump(s)

    def check_own_proof(self, account_id: int, password: str, address: str, session: str) -> None:
        """Whoever is signed in shows that it is they: by the password, or where the account has none, by having just
        signed in.

        Raises `LoginFailed`, `LoginLimited`, `LoginBusy`, `RoleRefused`, `Unknown`.
        """
        now = self._clock()
        with self._db.reading() as s:
            has_password = accounts.account(s, account_id).has_password
            since = [one.created for one in sessions.sessions(s, account_id, now) if one.name == session]
        if has_password:
            self.check_own_password(account_id, password, address)
        elif not since or now - since[0] > _JUST:
            raise RoleRefused("session.old", f"sign out and in again, then do this within {_JUST_MINUTES} minutes")

    def login(self, email: str, password: str, address: str = "", agent: str = "", code: str = "") -> str:
        """The token of a new session; ``address`` is the network address that asks, ``agent`` the browser.

        Raises `LoginFailed`, `SecondFactorMissing`, `AccountNotActive`, `LoginLimited`, `LoginBusy`. Blocks; an event
        loop calls `login_soon`.
        """
        return self._submit_login(email, password, address, agent, code).result()

    async def login_soon(self, email: str, password: str, address: str = "", agent: str = "", code: str = "") -> str:
        """`login` for an event loop: waits in the password pool, holding none of the loop's own threads."""
        return await asyncio.wrap_future(self._submit_login(email, password, address, agent, code))

    def signed(self, token: str) -> Signed | None:
        """Who a session's token stands for; using it lets the session live on."""
        now = self._clock()
        with self._db.reading() as s:
            found = sessions.signed(s, token, now)
        if found is None:
            return None
        if found[1]:
            with self._db.writing() as s:
                sessions.note_use(s, token, now)
        return found[0]

    def logout(self, token: str) -> None:
        """End a session; an unknown token is no error."""
        with self._db.writing() as s:
            if sessions.end(s, token):
                dataset.bump(s)

    def open_sessions(self, account_id: int) -> list[OpenSession]:
        """The living sessions of an account, the one used last first."""
        with self._db.reading() as s:
            return sessions.sessions(s, account_id, self._clock())

    def end_session(self, account_id: int, name: str) -> None:
        """End one of an account's sessions by its name; raises `Unknown`."""
        with self._db.writing() as s:
            sessions.end_named(s, account_id, name)
            dataset.bump(s)

    def end_other_sessions(self, account_id: int, name: str) -> int:
        """End all of an account's sessions but the named one; how many there were."""
        with self._db.writing() as s:
            ended = sessions.end_others(s, account_id, name)
            dataset.bump(s)
            return ended

    def _submit_login(self, email: str, password: str, address: str, agent: str, code: str) -> Future[str]:
        return self._passwords.submit(self._checked_login, email, password, address, agent, code)

    def _checked_login(self, email: str, password: str, address: str, agent: str, code: str) -> str:
        now = self._clock()
        with self._db.reading() as s:
            attempts.check_failures(s, email, address, now)
            found = accounts.password_hash_of(s, email)
        right = passwords.matches(found[1] if found else None, password)
        failure: RegistryError | None = None
        token = ""
        with self._db.writing() as s:
            if found is None or not right:
                failure = attempts.note_failure(s, email, address, now)
            elif found[0].state != "active":
                failure = AccountNotActive(found[0].state)
            elif found[0].has_totp:
                failure = self._code_failure(found[0].id, code, s)
            if found is not None and failure is None:
                attempts.forgive_failures(s, email, address)
                if passwords.is_outdated(found[1]):
                    accounts.put_password_hash(s, found[0].id, passwords.hashed(password))
                token = sessions.create(s, found[0].id, now, agent=agent, address=address)
        if failure is not None:
            raise failure
        return token
