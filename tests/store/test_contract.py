"""The unchanged clickhouse-connect HTTP client against the store."""

from __future__ import annotations

import datetime as dt
import io
import zoneinfo
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

UTC = dt.UTC
TABLE = """
CREATE TABLE reading (
    point UInt32 CODEC(Delta, ZSTD(1)), time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)), value Float64 CODEC(ZSTD(1)),
    label LowCardinality(String) DEFAULT 'none', note Nullable(String), marks Array(UInt16)
) ENGINE = ReplacingMergeTree PARTITION BY toMonday(time) ORDER BY (point, time)
"""
NOON = dt.datetime(2026, 3, 29, 12, 0, 0, 123456, UTC)


def readings(rows: int, first_us: int = 1_700_000_000_000_000) -> pa.Table:
    return pa.table(
        {
            "point": np.arange(rows, dtype="u4"),
            "time": pa.array(np.arange(rows) * 1_000_000 + first_us, pa.timestamp("us", "UTC")),
            "value": np.arange(rows) / 4,
        }
    )


def test_the_client_learns_version_and_zone(room: Any) -> None:
    assert room.client.server_version.split(".")[0].isdigit()
    assert room.client.server_tz in {UTC, zoneinfo.ZoneInfo("UTC")} or str(room.client.server_tz) == "UTC"
    assert room.client.ping()


def test_command_gives_numbers_texts_rows_and_summaries(room: Any) -> None:
    assert room.client.command("SELECT 7") == 7
    assert room.client.command("SELECT 'a b'") == "a b"
    assert room.client.command("SELECT 1, 'x'") == ["1", "x"]
    assert room.client.command("SELECT 1 WHERE 0") == ""
    assert room.client.command(TABLE).written_rows == 0
    assert room.client.command("EXISTS TABLE reading") == 1


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("toUInt64(18446744073709551615)", 2**64 - 1),
        ("toInt128('-170141183460469231731687303715884105728')", -(2**127)),
        ("toFloat64('nan')", float("nan")),
        ("toFloat64(0.1)", 0.1),
        ("toDateTime64('2026-03-29 12:00:00.123456', 6, 'UTC')", NOON.replace(tzinfo=None)),
        ("toDateTime64('1969-12-31 23:59:59.999999', 6, 'UTC')", dt.datetime(1969, 12, 31, 23, 59, 59, 999999)),
        ("toDate('2026-03-29')", dt.date(2026, 3, 29)),
        ("'ä\\n\\t\\0\\'x'", "ä\n\t\0'x"),
        ("[1, 2, 3]", [1, 2, 3]),
        ("CAST(NULL AS Nullable(Int8))", None),
        ("toLowCardinality('x')", "x"),
        ("CAST(('a', 1) AS Tuple(String, UInt8))", ("a", 1)),
        ("map('k', 2)", {"k": 2}),
        ("toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')", "61f0c404-5cb3-11e7-907b-a6006ad3dba0"),
        ("CAST('b' AS Enum8('a' = 1, 'b' = 2))", "b"),
        ("toDecimal64(1.25, 2)", "1.25"),
        ("true", True),
    ],
)
def test_types_come_back_as_they_are(room: Any, expression: str, value: object) -> None:
    found = room.client.query(f"SELECT {expression} AS x FROM numbers(2)").result_rows
    assert len(found) == 2
    for (x,) in found:
        assert str(x) == str(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Array(UInt32)", [1, 2, 4_000_000_000]),
        ("Array(String)", ["a", "it's", "tab\there", "line\nbreak", "\\", "ä", "{x:UInt8}"]),
        ("String", "it's a \\ \t \n \0 {y:UInt8} /* ; */ -- 'quoted' \"double\" `back`"),
        ("DateTime64(6, 'UTC')", NOON),
        ("Float64", -1.5e-300),
        ("UInt64", 2**64 - 1),
        ("Nullable(String)", None),
    ],
)
def test_parameters_arrive_unchanged(room: Any, kind: str, value: Any) -> None:
    found = room.client.query(f"SELECT {{p:{kind}}} AS x", parameters={"p": value}).first_row[0]
    assert found == (value.replace(tzinfo=None) if isinstance(value, dt.datetime) else value)


def test_parameters_too_many_for_an_address_go_as_a_form(room: Any) -> None:
    ids = list(range(200_000))
    assert room.client.query("SELECT sum(arrayJoin({ids:Array(UInt32)}))", parameters={"ids": ids}).first_row[0] == sum(
        ids
    )
    text = "grüße;'\\\r\n--x" * 5_000
    assert room.client.query("SELECT {t:String} AS t", parameters={"t": text}).first_row[0] == text


def test_rows_go_in_and_come_out(room: Any) -> None:
    room.client.command(TABLE)
    rows = [(1, NOON, 1.5, "grid", None, [1, 2]), (2, NOON + dt.timedelta(days=8), -0.0, "x", "it's", [])]
    summary = room.client.insert("reading", rows, ["point", "time", "value", "label", "note", "marks"])
    assert summary.written_rows == 2
    found = room.client.query("SELECT * FROM reading ORDER BY point").result_rows
    assert found == [(p, t.replace(tzinfo=None), v, label, note, marks) for p, t, v, label, note, marks in rows]


def test_columns_left_out_get_their_default(room: Any) -> None:
    room.client.command(TABLE)
    room.client.insert("reading", [(1, NOON, 2.0)], ["point", "time", "value"])
    assert room.client.query("SELECT label, note, marks FROM reading").result_rows == [("none", None, [])]


def test_arrow_in_and_out(room: Any) -> None:
    room.client.command(TABLE)
    table = readings(100_000)
    assert room.client.insert_arrow("reading", table).written_rows == 100_000
    found = room.client.query_arrow("SELECT point, time, value FROM reading ORDER BY point")
    assert found.cast(table.schema).equals(table)
    assert room.client.query_arrow("SELECT point FROM reading WHERE 0").num_rows == 0


@pytest.mark.parametrize(
    ("form", "block"),
    [
        ("TabSeparated", "1\t2026-01-01 00:00:00\t1.5\n2\t2026-01-01 00:00:01.5\t2\n"),
        ("CSV", '1,"2026-01-01 00:00:00",1.5\n2,"2026-01-01T00:00:01.5Z",2\n'),
        ("CSVWithNames", "value,point,time\n1.5,1,2026-01-01 00:00:00\n2,2,2026-01-01 00:00:01.5\n"),
        (
            "JSONEachRow",
            '{"point":1,"time":"2026-01-01 00:00:00","value":1.5}\n{"point":2,"time":1767225601.5,"value":2}',
        ),
        ("Values", "(1, '2026-01-01 00:00:00', 1.5), (1 + 1, '2026-01-01 00:00:01.5', 2)"),
    ],
)
def test_other_formats_go_in(room: Any, form: str, block: str) -> None:
    room.client.command(TABLE)
    assert room.client.raw_insert("reading", ["point", "time", "value"], block, fmt=form).written_rows == 2
    found = room.client.query(
        "SELECT point, toUnixTimestamp64Micro(time), value FROM reading ORDER BY point"
    ).result_rows
    assert found == [(1, 1_767_225_600_000_000, 1.5), (2, 1_767_225_601_500_000, 2.0)]


def test_a_block_may_follow_its_statement_in_the_address(room: Any) -> None:
    room.client.command(TABLE)
    room.client.raw_insert("reading", ["point", "time", "value"], io.BytesIO(b"5\t2026-01-01 00:00:00\t1\n"), fmt="TSV")
    room.client.command("INSERT INTO reading (point, time, value) FORMAT CSV", data="6,2026-01-01 00:00:00,1")
    room.client.command("INSERT INTO reading (point, time, value) VALUES (7, '2026-01-01 00:00:00', 1);")
    room.client.query(
        "INSERT INTO reading (point, time) VALUES ({p:UInt32}, {t:String})", parameters={"p": 8, "t": NOON}
    )
    assert room.client.command("SELECT sum(point), count() FROM reading") == ["26", "4"]


@pytest.mark.parametrize("form", ["Arrow", "ArrowStream", "Native", "Parquet", "RowBinary"])
def test_binary_formats_go_out_and_in_again(room: Any, form: str) -> None:
    room.client.command("CREATE TABLE a (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    block = room.client.raw_query("SELECT number AS n, toString(number) AS s FROM numbers(70000)", fmt=form)
    assert room.client.raw_insert("a", ["n", "s"], block, fmt=form).written_rows == 70_000
    assert room.client.command("SELECT sum(n), uniqExact(s) FROM a") == ["2449965000", "70000"]


def test_empty_inserts_store_nothing(room: Any) -> None:
    room.client.command(TABLE)
    assert room.client.raw_insert("reading", ["point"], "", fmt="TSV").written_rows == 0
    room.client.insert_arrow("reading", readings(0))
    assert room.client.command("SELECT count() FROM reading") == 0


def test_insert_select_and_its_count(room: Any) -> None:
    room.client.command("CREATE TABLE a (n UInt64) ENGINE = MergeTree ORDER BY n")
    summary = room.client.command(
        "INSERT INTO a (n) SELECT number FROM numbers(1234) -- the end", settings={"max_threads": 2}
    )
    assert summary.written_rows == 1234
    room.client.command("INSERT INTO a WITH 5 AS x SELECT x;")
    assert room.client.command("SELECT count() FROM a") == 1235


def test_no_rows_and_columns_only(room: Any) -> None:
    room.client.command(TABLE)
    assert room.client.query("SELECT point, time FROM reading").result_rows == []
    only = room.client.query("SELECT point, time FROM reading LIMIT 0")
    assert only.column_names == ("point", "time")
    assert [t.name for t in only.column_types] == ["UInt32", "DateTime64(6, 'UTC')"]


def test_streams_of_blocks(room: Any) -> None:
    with room.client.query_row_block_stream("SELECT number FROM numbers(200000)") as stream:
        assert sum(row[0] for block in stream for row in block) == sum(range(200_000))
    assert room.client.raw_stream("SELECT 1 AS a", fmt="JSONEachRow").read() == b'{"a":1}\n'


def test_errors_keep_their_number_and_text(room: Any) -> None:
    cases = [
        ("SELECT nothing", 47, "Unknown expression identifier"),
        ("SELECT * FROM missing", 60, "missing"),
        ("SELECT throwIf(number = 3) FROM numbers(10)", 395, "throwIf"),
        ("SELECT (1", 62, "Syntax error"),
        ("SELECT {x:UInt8}", 456, "x"),
        ("SELECT intDiv(1, 0)", 153, "Division by zero"),
    ]
    for sql, code, text in cases:
        with pytest.raises(DatabaseError) as caught:
            room.client.query(sql)
        assert caught.value.code == code, sql
        assert text in str(caught.value)
    with pytest.raises(DatabaseError) as caught:
        room.store.client("no_such_database")
    assert caught.value.code == 81


def test_settings_that_are_allowed_reach_the_statement_and_do_not_stay(room: Any) -> None:
    asked = "SELECT getSetting('max_threads')"
    assert room.client.command(asked) == 1
    assert room.client.command(asked, settings={"max_threads": 2}) == 2
    assert [room.client.command(asked) for _ in range(12)] == [1] * 12
    assert room.client.command("SELECT getSetting('max_threads') SETTINGS max_threads = 3") == 3
    assert room.client.query(asked, settings={"max_threads": 4}).first_row == (4,)
    assert room.store.client(max_threads=5).command(asked) == 5
    with pytest.raises(DatabaseError, match=r"setting 'allow_ddl'"):
        room.client.command("SELECT 1", settings={"allow_ddl": 0})
    with pytest.raises(DatabaseError, match="async_insert"):
        room.client.command("SELECT 1", settings={"async_insert": 1})


def test_each_request_has_its_own_database(room: Any) -> None:
    room.client.command(TABLE)
    elsewhere = room.store.client()
    for _ in range(8):
        assert room.client.command("SELECT currentDatabase()") == room.database
        assert elsewhere.command("SELECT currentDatabase()") == "default"
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        elsewhere.command("SELECT count() FROM reading")
    assert elsewhere.command(f"SELECT count() FROM {room.database}.reading") == 0


def test_a_table_that_changes_between_inserts(room: Any) -> None:
    room.client.command("CREATE TABLE a (n UInt8) ENGINE = MergeTree ORDER BY n")
    room.client.insert("a", [(1,)], ["n"])
    room.client.command("ALTER TABLE a ADD COLUMN s String DEFAULT 'later'")
    room.client.insert("a", [(2, "x")], ["n", "s"])
    room.client.command("INSERT INTO a FORMAT CSV", data="3,y")
    room.client.command("DROP TABLE a SYNC")
    room.client.command("CREATE TABLE a (n String) ENGINE = MergeTree ORDER BY n")
    room.client.insert("a", [("three",)], ["n"])
    assert room.client.query("SELECT * FROM a").result_rows == [("three",)]


def test_changing_and_removing_rows(room: Any) -> None:
    room.client.command(TABLE)
    room.client.insert_arrow("reading", readings(1000))
    room.client.command("ALTER TABLE reading DELETE WHERE point < 100 SETTINGS mutations_sync = 2")
    room.client.command("ALTER TABLE reading DELETE WHERE point < 200", settings={"mutations_sync": 2})
    room.client.command("DELETE FROM reading WHERE point < 300")
    assert room.client.command("SELECT count() FROM reading") == 700
    room.client.command("OPTIMIZE TABLE reading FINAL")
    room.client.command("TRUNCATE TABLE reading")
    assert room.client.command("SELECT count() FROM reading") == 0


def test_the_same_token_is_stored_once(room: Any) -> None:
    room.client.command(
        "CREATE TABLE a (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100"
    )
    for token in ("first", "first", "second"):
        room.client.insert("a", [(n,) for n in range(10)], ["n"], settings={"insert_deduplication_token": token})
    assert room.client.command("SELECT count() FROM a") == 20
