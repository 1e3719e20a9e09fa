"""Telling statements apart: lanes, formats, settings and the heads of inserts."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.store.errors import Refused
from wattstead.store.statement import Command, InsertBlock, InsertSelect, LaneName, Read, read_statement

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "lane"),
    [
        (b"SELECT 1", LaneName.READ),
        (b"  /* a */ -- b\n (select 1)", LaneName.READ),
        (b"with 1 as x select x", LaneName.READ),
        (b"SHOW TABLES", LaneName.READ),
        (b"EXPLAIN SELECT 1", LaneName.READ),
        (b"INSERT INTO a VALUES (1)", LaneName.WRITE),
        (b"insert into a select 1", LaneName.WRITE),
        (b"CREATE TABLE a (b Int8) ENGINE = Memory", LaneName.WRITE),
        (b"alter table a delete where 1", LaneName.WRITE),
        (b"RESTORE TABLE a FROM File('x')", LaneName.WRITE),
        (b"SYSTEM RELOAD DICTIONARY a", LaneName.WRITE),
        (b"BACKUP TABLE a TO File('x')", LaneName.SLOW),
        (b"KILL QUERY WHERE 1", LaneName.ADMIN),
    ],
)
def test_each_statement_has_its_lane(text: bytes, lane: LaneName) -> None:
    assert read_statement(text, {}).lane is lane


@pytest.mark.parametrize(
    ("text", "body", "form", "settings"),
    [
        (b"SELECT 1", b"SELECT 1", "TabSeparated", {}),
        (b"SELECT 1\n FORMAT Native", b"SELECT 1\n", "Native", {}),
        (b"SELECT 1 format JSON ; ", b"SELECT 1", "JSON", {}),
        (b"SELECT 1 FORMAT TSV SETTINGS final=2, final = 1", b"SELECT 1", "TSV", {"final": "1"}),
        (b"SELECT 1 FORMAT TSV SETTINGS log_comment='a, \\'b'", b"SELECT 1", "TSV", {"log_comment": "a, 'b"}),
        (b"SELECT 1 SETTINGS max_threads=2", b"SELECT 1 SETTINGS max_threads=2", "TabSeparated", {}),
        (b"SELECT ' FORMAT Native'", b"SELECT ' FORMAT Native'", "TabSeparated", {}),
        (b"SELECT a AS format", b"SELECT a AS format", "TabSeparated", {}),
    ],
)  # fmt: skip
def test_the_format_is_taken_from_the_end(text: bytes, body: bytes, form: str, settings: dict[str, str]) -> None:
    found = read_statement(text, {})
    assert isinstance(found, Read)
    assert (found.body.strip(), found.form, found.settings) == (body.strip(), form, settings)


def test_settings_given_beside_are_appended_and_the_statements_own_win() -> None:
    found = read_statement(b"SELECT 1 FORMAT TSV SETTINGS max_threads = 3", {"max_threads": "2", "final": "1"})
    assert isinstance(found, Read)
    assert found.sql() == b"SELECT 1\nFORMAT TSV\nSETTINGS max_threads = '3', final = '1'"


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        (b"DROP TABLE a", b"DROP TABLE a\nFORMAT TabSeparated\nSETTINGS final = '1'"),
        (b"DELETE FROM a WHERE 1", b"DELETE FROM a WHERE 1\nSETTINGS final = '1'"),
        (
            b"ALTER TABLE a DELETE WHERE 1 SETTINGS mutations_sync=2;",
            b"ALTER TABLE a DELETE WHERE 1\nFORMAT TabSeparated\nSETTINGS final = '1', mutations_sync = '2'",
        ),
        (
            b"CREATE TABLE a (b Int8) ENGINE = MergeTree ORDER BY b SETTINGS index_granularity = 1024",
            b"CREATE TABLE a (b Int8) ENGINE = MergeTree ORDER BY b SETTINGS index_granularity = 1024"
            b"\nFORMAT TabSeparated\nSETTINGS final = '1'",
        ),
        (b"RENAME TABLE a TO b", b"RENAME TABLE a TO b"),
        (
            b"BACKUP TABLE a TO File('x') SETTINGS compression_level=3",
            b"BACKUP TABLE a TO File('x') SETTINGS compression_level=3",
        ),
    ],
)
def test_where_the_settings_of_commands_go(text: bytes, sql: bytes) -> None:
    found = read_statement(text, {"final": "1"})
    assert isinstance(found, Command)
    assert found.sql() == sql


@pytest.mark.parametrize(
    ("text", "table", "columns", "form", "block"),
    [
        (b"INSERT INTO a FORMAT Native\n\x01\x02", b"a", b"", "Native", b"\x01\x02"),
        (
            b"INSERT INTO `x y`.`a\\`b` (`c d`, e) FORMAT TSV\r\n1\t2\n",
            b"`x y`.`a\\`b`",
            b"(`c d`, e)",
            "TSV",
            b"1\t2\n",
        ),
        (b"insert into table a (b)\nformat CSV 1", b"a", b"(b)", "CSV", b"1"),
        (b"INSERT INTO a FORMAT Native\n\n", b"a", b"", "Native", b"\n"),
        (b"INSERT INTO a FORMAT RowBinary\n \n", b"a", b"", "RowBinary", b" \n"),
        (b"INSERT INTO a FORMAT TSV", b"a", b"", "TSV", b""),
        (b"INSERT INTO a (b) VALUES (1), (2)", b"a", b"(b)", "Values", b" (1), (2)"),
        (b'INSERT INTO "a"(b)VALUES(1)', b'"a"', b"(b)", "Values", b"(1)"),
    ],
)
def test_heads_of_inserted_blocks(text: bytes, table: bytes, columns: bytes, form: str, block: bytes) -> None:
    found = read_statement(text, {})
    assert isinstance(found, InsertBlock)
    assert (found.table, found.columns, found.form, bytes(found.block)) == (table, columns, form, block)


def test_an_insert_select_has_its_settings_before_the_select() -> None:
    found = read_statement(
        b"INSERT INTO a (b) SETTINGS final=1 SELECT 1 SETTINGS max_threads=2;", {"max_block_size": "9"}
    )
    assert isinstance(found, InsertSelect)
    assert found.sql() == (
        b"INSERT INTO a (b)\nSETTINGS max_block_size = '9', final = '1'\nSELECT 1 SETTINGS max_threads=2"
    )


@pytest.mark.parametrize(
    "text", [b"SELECT 1 FORMAT TSV SETTINGS readonly=0", b"INSERT INTO a SETTINGS async_insert=1 VALUES (1)"]
)
def test_settings_inside_a_statement_are_held_to_the_same_list(text: bytes) -> None:
    with pytest.raises(Refused) as caught:
        read_statement(text, {})
    assert (caught.value.status, caught.value.code) == (501, 48)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_statement_or_a_refusal(text: bytes) -> None:
    try:
        read_statement(text, {})
    except Refused as refused:
        assert 400 <= refused.status <= 501


PIECES = [b"`", b"'", b"a", b"(", b")", b",", b" ", b"\\", b"SETTINGS ", b"a=1 ", b"FORMAT ", b"/*", b"*/", b"--", b"."]


@given(st.sampled_from([b"INSERT INTO ", b"SELECT ", b"ALTER "]), st.lists(st.sampled_from(PIECES), max_size=400))
def test_reading_a_statement_takes_no_long_time(head: bytes, pieces: list[bytes]) -> None:
    """Nothing that hypothesis thinks of makes the expressions try exponentially many ways (its deadline is 200 ms)."""
    with contextlib.suppress(Refused):
        read_statement(head + b"".join(pieces), {})
