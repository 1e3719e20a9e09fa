"""SHOW …: what there is, as Influx lists it; asks nothing about readings."""

from __future__ import annotations

from collections.abc import Iterable

from wattstead.registry.records import SiteName
from wattstead.web.influx.catalogue import Listed, fields, matching, tag_values
from wattstead.web.influx.question import Show
from wattstead.web.influx.table import Table, line_of

DATABASE = "wattstead"
_MOST_ROWS = 50_000


def databases(sites: Iterable[SiteName]) -> list[str]:
    """One database for all that one sees, and one for each site by its name."""
    return list(dict.fromkeys([DATABASE, *(site.name for site in sites)]))


def answered(show: Show, sites: Iterable[SiteName], points: Iterable[Listed]) -> list[Table]:
    """The tables of one SHOW statement; ``sites`` are those that one sees, ``points`` those of the database asked."""
    rows = matching(points, show.measurements, show.condition)
    tables = _TABLES[show.subject](show, sites, rows)
    for table in tables:
        stop = show.offset + min(show.limit or _MOST_ROWS, _MOST_ROWS)
        table.values = table.values[show.offset : stop]
    return [table for table in tables if table.values]


def _databases(show: Show, sites: Iterable[SiteName], rows: list[Listed]) -> list[Table]:
    return [Table("databases", columns=["name"], values=[[name] for name in databases(sites)])]


def _policies(show: Show, sites: Iterable[SiteName], rows: list[Listed]) -> list[Table]:
    columns = ["name", "duration", "shardGroupDuration", "replicaN", "default"]
    return [Table(columns=columns, values=[["autogen", "0s", "168h0m0s", 1, True]])]


def _measurements(show: Show, sites: Iterable[SiteName], rows: list[Listed]) -> list[Table]:
    return [Table("measurements", columns=["name"], values=[[name] for name in fields(rows)])]


def _series(show: Show, sites: Iterable[SiteName], rows: list[Listed]) -> list[Table]:
    keys = sorted({line_of(one.measurement, one.tags) for one in rows})
    return [Table(columns=["key"], values=[[key] for key in keys])]


def _tag_keys(show: Show, sites: Iterable[SiteName], rows: list[Listed]) -> list[Table]:
    return [Table(name, columns=["tagKey"], values=[[key] for key in tags]) for name, tags in tag_values(rows).items()]


def _tag_values(show: Show, sites: Iterable[SiteName], rows: list[Listed]) -> list[Table]:
    tables = []
    for name, tags in tag_values(rows).items():
        wanted = {key: values for key, values in tags.items() if any(pattern.matches(key) for pattern in show.keys)}
        pairs = [[key, value] for key, values in wanted.items() for value in values]
        tables.append(Table(name, columns=["key", "value"], values=pairs))
    return tables


def _field_keys(show: Show, sites: Iterable[SiteName], rows: list[Listed]) -> list[Table]:
    columns = ["fieldKey", "fieldType"]
    return [Table(m, columns=columns, values=[[name, "float"] for name in names]) for m, names in fields(rows).items()]


_TABLES = {
    "DATABASES": _databases,
    "RETENTION POLICIES": _policies,
    "MEASUREMENTS": _measurements,
    "SERIES": _series,
    "TAG KEYS": _tag_keys,
    "TAG VALUES": _tag_values,
    "FIELD KEYS": _field_keys,
}
