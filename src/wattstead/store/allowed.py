"""What a caller may name in a request: parameters of the transport, engine settings, formats; runs nothing."""

from __future__ import annotations

import re

from wattstead.store.errors import UNKNOWN_FORMAT, Refused, not_served

LANE_HEADER = b"x-wattstead-lane"

IGNORED = frozenset(
    {
        "buffer_size",
        "cancel_http_readonly_queries_on_client_close",
        "client_protocol_version",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "quota_key",
        "send_progress_in_http_headers",
        "wait_end_of_query",
    }
)
"""Parameters the client sends of its own accord and that change nothing here."""

SETTINGS = frozenset(
    {
        "alter_sync",
        "cast_string_to_dynamic_use_inference",
        "date_time_input_format",
        "date_time_output_format",
        "do_not_merge_across_partitions_select_final",
        "final",
        "group_by_overflow_mode",
        "insert_deduplicate",
        "insert_deduplication_token",
        "insert_null_as_default",
        "join_algorithm",
        "join_use_nulls",
        "lightweight_deletes_sync",
        "log_comment",
        "max_ast_elements",
        "max_block_size",
        "max_bytes_before_external_group_by",
        "max_bytes_before_external_sort",
        "max_bytes_to_read",
        "max_execution_time",
        "max_expanded_ast_elements",
        "max_insert_block_size",
        "max_insert_threads",
        "max_memory_usage",
        "max_partitions_per_insert_block",
        "optimize_on_insert",
        "max_query_size",
        "max_result_bytes",
        "max_result_rows",
        "max_rows_to_read",
        "max_threads",
        "min_insert_block_size_bytes",
        "min_insert_block_size_rows",
        "mutations_sync",
        "optimize_aggregation_in_order",
        "optimize_move_to_prewhere_if_final",
        "optimize_read_in_order",
        "optimize_skip_merged_partitions",
        "optimize_throw_if_noop",
        "optimize_use_projections",
        "prefer_column_name_to_alias",
        "read_overflow_mode",
        "result_overflow_mode",
        "session_timezone",
        "throw_if_no_data_to_insert",
        "throw_on_max_partitions_per_insert_block",
        "timeout_overflow_mode",
        "use_query_condition_cache",
        "use_skip_indexes_if_final",
    }
)
"""Engine settings a caller may give; those of formats (``input_format_…``, ``output_format_…``) come on top."""

_FORMAT_SETTING = re.compile(r"(?:input|output)_format_[a-z0-9_]+\Z")

INPUT = frozenset(
    {
        "Arrow",
        "ArrowStream",
        "CSV",
        "CSVWithNames",
        "JSONEachRow",
        "Native",
        "Parquet",
        "RowBinary",
        "TSV",
        "TabSeparated",
        "TabSeparatedWithNames",
        "Values",
    }
)
"""Formats of inserted blocks."""

OUTPUT = frozenset(
    {
        "Arrow",
        "ArrowStream",
        "CSV",
        "CSVWithNames",
        "JSON",
        "JSONColumns",
        "JSONCompact",
        "JSONEachRow",
        "JSONStrings",
        "Native",
        "Null",
        "Parquet",
        "Pretty",
        "PrettyCompact",
        "RowBinary",
        "RowBinaryWithNamesAndTypes",
        "TSV",
        "TSVRaw",
        "TSVWithNames",
        "TSVWithNamesAndTypes",
        "TabSeparated",
        "TabSeparatedRaw",
        "TabSeparatedWithNames",
        "TabSeparatedWithNamesAndTypes",
        "Values",
        "Vertical",
    }
)
"""Formats of answers."""


def setting(name: str, value: str) -> tuple[str, str]:
    """The setting, where a caller may give it. Raises `Refused` with 501 otherwise."""
    if name == "async_insert":
        if value == "0":
            return name, value
        raise not_served("async_insert = 1, which answers before the rows are stored")
    if name in SETTINGS or _FORMAT_SETTING.match(name):
        return name, value
    raise not_served(f"the setting {name[:100]!r}")


def clause(settings: dict[str, str]) -> bytes:
    """The settings as they are appended to a statement, all quoted; empty for none.

    >>> clause({"max_threads": "2"})
    b"max_threads = '2'"
    """
    return ", ".join(f"{name} = {quoted(value)}" for name, value in settings.items()).encode()


def quoted(text: str) -> str:
    """The text as a string literal of the engine."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def output_format(name: str) -> str:
    """The format, where answers are given in it. Raises `Refused`."""
    return _one_of(name, OUTPUT, "answers")


def input_format(name: str) -> str:
    """The format, where blocks are taken in it. Raises `Refused`."""
    return _one_of(name, INPUT, "inserted blocks")


def _one_of(name: str, known: frozenset[str], of: str) -> str:
    if name in known:
        return name
    raise Refused(
        501, UNKNOWN_FORMAT, f"format {name[:100]!r} is not served for {of}; served are {', '.join(sorted(known))}"
    )


def content_type(form: str) -> bytes:
    """The media type of an answer in that format."""
    if form.startswith(("TSV", "TabSeparated")):
        return b"text/tab-separated-values; charset=UTF-8"
    if form.startswith("JSON"):
        return b"application/json; charset=UTF-8"
    if form.startswith("CSV"):
        return b"text/csv; charset=UTF-8"
    if form.startswith("Arrow"):
        return b"application/vnd.apache.arrow.stream" if form == "ArrowStream" else b"application/vnd.apache.arrow.file"
    if form in {"Native", "RowBinary", "RowBinaryWithNamesAndTypes", "Parquet"}:
        return b"application/octet-stream"
    return b"text/plain; charset=UTF-8"
