"""Failures of the database's server or its tables: named, and over when they are over."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from wattstead.registry.errors import RegistryUnavailable, SchemaMismatch
from wattstead.registry.records import KeyGrant, NewAddress, Scope
from wattstead.registry.registry import Registry

PASSWORD = "correct horse battery"


def test_a_registry_that_was_never_migrated(empty_url: str) -> None:
    with Registry(empty_url) as registry, pytest.raises(SchemaMismatch, match="migrate it first"):
        registry.generation()


def test_a_lost_connection_is_made_again(new_database: Callable[[str], str]) -> None:
    url = new_database("postgresql")
    with Registry(url) as registry:
        registry.migrate()
        grant = _grant(registry)
        _end_connections(url)
        assert registry.resolve(grant, [NewAddress("a")])["a"] == 1


def test_a_connection_lost_in_the_middle_is_retryable_and_leaves_nothing(new_database: Callable[[str], str]) -> None:
    url = new_database("postgresql")
    with Registry(url) as registry:
        registry.migrate()
        grant = _grant(registry)
        with pytest.raises(RegistryUnavailable) as raised, registry._db.writing() as session:
            session.connection().exec_driver_sql("DELETE FROM key")
            _end_connections(url)
            session.connection().exec_driver_sql("SELECT 1")
        assert raised.value.retryable
        assert registry.keys(grant.site_id)[0].id == grant.id


def _grant(registry: Registry) -> KeyGrant:
    owner = registry.first_owner("ada@example.org", PASSWORD)
    assert owner is not None
    site = registry.create_site(owner.account.organization_id, "Mill", "UTC")
    grant = registry.key(registry.create_key(site.id, Scope.WRITE).secret)
    assert grant is not None
    return grant


def _end_connections(url: str) -> None:
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
