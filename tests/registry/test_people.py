"""People: the first owner, logins and what holds back those who guess, sessions that live while they are used."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import pytest
from sqlalchemy import text
from tests.hashing import SHIPPED

from wattstead.registry.errors import LoginBusy, LoginFailed, LoginLimited, NameInvalid, PasswordInvalid
from wattstead.registry.people import emails, sessions
from wattstead.registry.people.proofs import passwords
from wattstead.registry.records import Account
from wattstead.registry.registry import Registry
from wattstead.registry.storage.database import Database

PASSWORD = "correct horse battery"


class Clock(Protocol):
    now: datetime

    def pass_(self, span: timedelta) -> None: ...


def account_of(registry: Registry, token: str) -> Account | None:
    """Who a session's token stands for."""
    signed = registry.signed(token)
    return msgspec.structs.replace(signed.account, last_seen=None) if signed is not None else None


def test_the_first_owner_gets_a_random_password_once(registry: Registry) -> None:
    made = registry.first_owner("ada@example.org")
    assert made is not None and len(made.password) >= 20
    assert registry.first_owner("eve@example.org") is None
    assert registry.accounts() == [made.account]
    (root,) = registry.organizations()
    assert made.account.organization_id == root.id and root.path == f"/{root.id}/"
    assert account_of(registry, registry.login("ada@example.org", made.password)) == made.account


def test_only_one_of_several_that_start_together_makes_the_owner(registry: Registry) -> None:
    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(lambda n: registry.first_owner(f"o{n}@example.org", PASSWORD), range(6)))
    assert sum(one is not None for one in made) == 1 == len(registry.accounts()) == len(registry.organizations())


def test_passwords_and_tokens_are_stored_as_hashes_alone(registry: Registry, owner: Account, url: str) -> None:
    token = registry.login(owner.email, PASSWORD)
    database = Database(url)
    with database.connected() as connection:
        (password_hash,) = connection.execute(text("SELECT password_hash FROM account")).one()
        (token_hash,) = connection.execute(text("SELECT token_hash FROM session")).one()
    database.close()
    assert password_hash.startswith("$argon2id$") and PASSWORD not in password_hash
    assert len(token_hash) == 32 and token.encode() not in bytes(token_hash)


def test_an_email_address_is_compared_without_case(registry: Registry, owner: Account) -> None:
    assert owner.email == "ada@example.org"
    assert account_of(registry, registry.login("  ADA@example.ORG ", PASSWORD)) == owner


@pytest.mark.parametrize("email", ["", "ada", "a b@c", "a@b@c", "a\n@b.c", "a@b\x00", "x" * 300 + "@b.c", "a@\u202eb"])
def test_what_is_no_email_address(registry: Registry, email: str) -> None:
    with pytest.raises(NameInvalid):
        registry.first_owner(email, PASSWORD)
    assert registry.organizations() == []


@pytest.mark.unit
@pytest.mark.parametrize(
    "email",
    [
        "a,b@x", "<a>@x", "a@-", "a@x-", "a@-x.org", "a@x_y.org", "a@[127.0.0.1]", "a@127.0.0.1", '"a b"@x.org',
        "a;b@x", ".a@x.org", "a.@x.org", "a..b@x.org", "a(b)@x.org", "a\\b@x.org", "a:b@x.org", "a@x.org:25",
        "a@x,y.org", "a@" + "x" * 64 + ".org", "a@b..org", "adm\u0131n@x.org", "adm\u0130n@x.org",
        "\u0251dmin@x.org", "a\u20ac@x.org",
    ],
)  # fmt: skip
def test_a_new_address_to_which_no_mail_goes(email: str) -> None:
    with pytest.raises(NameInvalid):
        emails.checked(email)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("email", "plain"),
    [
        ("o'neil+solar@example.org", "o'neil+solar@example.org"), ("a_b-c.d@x-y.example", "a_b-c.d@x-y.example"),
        ("owner@localhost", "owner@localhost"), ("Jos\u00e9@example.org.", "jos\u00e9@example.org"),
        ("ада@пример.example", "ада@xn--e1afmkfd.example"), ("用户@例子.example", "用户@xn--fsqu00a.example"),
    ],
)  # fmt: skip
def test_a_new_address(email: str, plain: str) -> None:
    assert emails.checked(email) == plain


@pytest.mark.unit
def test_who_has_such_an_address_signs_in_all_the_same() -> None:
    assert emails.folded("A,b@X") == "a,b@x"


@pytest.mark.parametrize("password", ["", "short", "x" * 1001])
def test_passwords_too_short_or_too_long(registry: Registry, owner: Account, password: str) -> None:
    with pytest.raises(PasswordInvalid):
        registry.change_password(owner.id, password)
    with pytest.raises(LoginFailed):
        registry.login(owner.email, password)


def test_a_wrong_password_and_an_unknown_account_answer_alike(registry: Registry, owner: Account) -> None:
    with pytest.raises(LoginFailed) as wrong:
        registry.login(owner.email, "wrong password")
    with pytest.raises(LoginFailed) as unknown:
        registry.login("nobody@example.org", "wrong password")
    assert str(wrong.value) == str(unknown.value)


def test_guessing_at_one_account_is_limited(registry: Registry, owner: Account, clock: Clock) -> None:
    for _ in range(10):
        with pytest.raises(LoginFailed):
            registry.login(owner.email, "wrong password", "203.0.113.9")
    with pytest.raises(LoginLimited) as limited:
        registry.login(owner.email, PASSWORD, "203.0.113.9")
    assert limited.value.retryable and 0 < limited.value.retry_after_s <= 15 * 60 + 1
    registry.login(owner.email, PASSWORD, "198.51.100.1")  # the owner, at home, is not locked out
    clock.pass_(timedelta(seconds=limited.value.retry_after_s))
    registry.login(owner.email, PASSWORD, "203.0.113.9")


def test_guessing_at_many_accounts_is_limited(registry: Registry, owner: Account, url: str, clock: Clock) -> None:
    _fail_before(url, "address 203.0.113.9", 50, clock)
    with pytest.raises(LoginLimited):
        registry.login(owner.email, PASSWORD, "203.0.113.9")


def test_guessing_from_many_addresses_is_limited(registry: Registry, owner: Account, url: str, clock: Clock) -> None:
    _fail_before(url, f"account {owner.email}", 100, clock)
    with pytest.raises(LoginLimited):
        registry.login(owner.email, PASSWORD, "198.51.100.1")
    clock.pass_(timedelta(minutes=15, seconds=1))
    registry.login(owner.email, PASSWORD, "198.51.100.1")


def _fail_before(url: str, subject: str, times: int, clock: Clock) -> None:
    database = Database(url)
    with database.connected() as connection:
        failed = clock.now.replace(tzinfo=None) if database.is_sqlite else clock.now
        insert = text("INSERT INTO login_failure (subject, failed) VALUES (:subject, :failed)")
        rows = [{"subject": subject, "failed": str(failed) if database.is_sqlite else failed}] * times
        connection.execute(insert, rows)
    database.close()


def test_a_right_password_ends_the_count(registry: Registry, owner: Account) -> None:
    for _ in range(3):
        for _ in range(9):
            with pytest.raises(LoginFailed):
                registry.login(owner.email, "wrong password", "203.0.113.9")
        registry.login(owner.email, PASSWORD, "203.0.113.9")


def test_failures_are_forgotten_when_they_count_no_more(
    registry: Registry, owner: Account, url: str, clock: Clock
) -> None:
    _fail_before(url, "address x", 40, clock)
    clock.pass_(timedelta(minutes=16))
    with pytest.raises(LoginFailed):
        registry.login(owner.email, "wrong password")
    database = Database(url)
    with database.connected() as connection:
        assert connection.execute(text("SELECT count(*) FROM login_failure")).scalar() == 3
    database.close()


def test_odd_texts_at_the_login(registry: Registry, owner: Account) -> None:
    for email, password in [("\x00", "\x00" * 12), ("\ud800@x", "\ud800" * 12), ("a" * 10_000, "b" * 100_000)]:
        with pytest.raises(LoginFailed):
            registry.login(email, password, "203.0.113.9")


async def test_logins_from_an_event_loop(registry: Registry, owner: Account) -> None:
    tokens = await asyncio.gather(*(registry.login_soon(owner.email, PASSWORD) for _ in range(5)))
    assert len(set(tokens)) == 5


@pytest.mark.unit
def test_at_most_two_passwords_are_checked_at_once() -> None:
    pool = passwords.PasswordPool()
    busy, most, lock, hold, both = 0, 0, threading.Lock(), threading.Event(), threading.Event()

    def work() -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
            if busy == 2:
                both.set()
        hold.wait(60)
        with lock:
            busy -= 1

    waiting = [pool.submit(work) for _ in range(32)]
    with pytest.raises(LoginBusy) as full:
        pool.submit(work)
    assert full.value.retryable
    assert both.wait(60)
    hold.set()
    for one in waiting:
        one.result(60)
    assert most == 2
    pool.submit(work).result(60)
    pool.close()


@pytest.mark.unit
def test_the_product_hashes_as_is_recommended() -> None:
    """Argon2id with 19 MiB and two passes, whatever the tests themselves hash with."""
    made = SHIPPED.hash(PASSWORD)
    assert made.startswith("$argon2id$v=19$m=19456,t=2,p=1$") and passwords.matches(made, PASSWORD)
    assert not SHIPPED.check_needs_rehash(made) and SHIPPED.check_needs_rehash(passwords.hashed(PASSWORD))


@pytest.mark.unit
def test_a_hash_of_weaker_times_is_made_again() -> None:
    assert passwords.is_outdated("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + "A" * 43)
    assert not passwords.is_outdated(passwords.hashed(PASSWORD))
    assert not passwords.matches("no hash", PASSWORD)
    assert not passwords.matches(None, PASSWORD)


def test_a_session_lives_while_it_is_used(registry: Registry, owner: Account, clock: Clock) -> None:
    token = registry.login(owner.email, PASSWORD)
    for _ in range(3):
        clock.pass_(sessions.UNUSED - timedelta(hours=1))
        assert account_of(registry, token) == owner
    clock.pass_(sessions.UNUSED)
    assert registry.signed(token) is None


def test_a_session_ends_some_day(registry: Registry, owner: Account, clock: Clock) -> None:
    token = registry.login(owner.email, PASSWORD)
    days = 0
    while registry.signed(token) is not None:
        clock.pass_(timedelta(days=10))
        days += 10
    assert sessions.LONGEST.days <= days <= sessions.LONGEST.days + 10


def test_ended_sessions(registry: Registry, owner: Account) -> None:
    first, second = registry.login(owner.email, PASSWORD), registry.login(owner.email, PASSWORD)
    registry.logout(first)
    registry.logout("unknown")
    assert registry.signed(first) is None and account_of(registry, second) == owner
    registry.change_password(owner.id, "another password")
    assert registry.signed(second) is None
    with pytest.raises(LoginFailed):
        registry.login(owner.email, PASSWORD)
    assert account_of(registry, registry.login(owner.email, "another password")) == owner


def test_tokens_that_were_never_given(registry: Registry, owner: Account) -> None:
    for token in ("", "x", "\x00", "\ud800", "a" * 10_000):
        assert registry.signed(token) is None
