"""Questions about people: accounts, logins, sessions; the rules are in `accounts`, `passwords` and `sessions`."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from wattstead.registry.door import Door
from wattstead.registry.errors import LoginFailed
from wattstead.registry.people import accounts, passwords, sessions
from wattstead.registry.records import Account, FirstOwner, Signed


class People(Door):
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

    def accounts(self) -> list[Account]:
        """Every account, by id."""
        with self._db.reading() as s:
            return accounts.accounts(s)

    def change_password(self, account_id: int, password: str) -> None:
        """Set a password and end every session of the account; raises `PasswordInvalid`, `Unknown`, `LoginBusy`."""
        hashed = self._passwords.submit(passwords.hashed, password).result()
        with self._db.writing() as s:
            accounts.put_password_hash(s, account_id, hashed)
            sessions.end_all(s, account_id)

    def login(self, email: str, password: str, address: str = "") -> str:
        """The token of a new session; ``address`` is the network address that asks.

        Raises `LoginFailed`, `LoginLimited`, `LoginBusy`. Blocks; an event loop calls `login_soon`.
        """
        return self._submit_login(email, password, address).result()

    async def login_soon(self, email: str, password: str, address: str = "") -> str:
        """`login` for an event loop: waits in the password pool, holding none of the loop's own threads."""
        return await asyncio.wrap_future(self._submit_login(email, password, address))

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
            sessions.end(s, token)

    def _submit_login(self, email: str, password: str, address: str) -> Future[str]:
        return self._passwords.submit(self._checked_login, email, password, address)

    def _checked_login(self, email: str, password: str, address: str) -> str:
        with self._db.reading() as s:
            accounts.check_failures(s, email, address, self._clock())
            found = accounts.password_hash_of(s, email)
        right = passwords.matches(found[1] if found else None, password)
        failure: LoginFailed | None = None
        token = ""
        with self._db.writing() as s:
            if found is None or not right:
                failure = accounts.note_failure(s, email, address, self._clock())
            else:
                accounts.forgive_failures(s, email, address)
                if passwords.is_outdated(found[1]):
                    accounts.put_password_hash(s, found[0].id, passwords.hashed(password))
                token = sessions.create(s, found[0].id, self._clock())
        if failure is not None:
            raise failure
        return token
