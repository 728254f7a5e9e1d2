"""Calls of every GET endpoint: each parameter of its description with each choice or an example.

A new endpoint is called without a change here, and a new parameter with choices, too. Any other one needs an example.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import DEFAULT_DB_ALIAS
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from psycopg.rows import dict_row
from rest_framework.test import APIClient

from seeder.api.cursor_text import decode_cursor, encode_cursor
from seeder.api.input_serializers import MAX_PAGE_SIZE
from seeder.api.operation_description import own_schema
from seeder.postgres import sessions

# The ends of paths of endpoints that read no rows, or those of the host's views.
_EXCLUDED = ("schema/", "v1/", "stats/{name}/")
PAGE_SIZES = (1, MAX_PAGE_SIZE)
_PAGE_PARAMETERS = {"cursor", "pageSize"}
_DEEP = timedelta(days=200)  # the age of the rows on a deep page
_PAGES = 10  # before a deep page of a list without times
# Where a path has these, it gets each of the values, which are formatted with the facts of the caller.
_PATHS: Mapping[str, Sequence[str]] = {
    "jobs/{reportType}/{id}/": ("jobs/canned/{subscription}/", "jobs/custom/{report}/"),
    "runs/{runId}/": ("runs/run-open/", "runs/{night}/"),
    "queue/{requestId}/": ("queue/{request}/",),
    "snapshots/{id}/": ("snapshots/{snapshot}/",),
    "agencies/{slug}/": ("agencies/{agency}/",),
    "manifests/{reportType}/{id}/": ("manifests/custom/{report}/",),
    "loads/{id}/": ("loads/{load}/",),
    "tables/{name}/": ("tables/loaded.table_2/",),
    "views/{name}/checks/{check}/": ("views/reporting.canned_1/checks/check-1/",),
    "views/{name}/": ("views/reporting.canned_1/",),
    "requests/{id}/": ("requests/{load_request}/",),
}
_EXAMPLES: Mapping[str, Sequence[str]] = {
    "agency": ("{agency}",),
    "search": ("report_77", "no such report"),
    "tableName": ("reporting.canned_1",),
    "releaseTag": ("release-2",),
    "source": ("source-1",),
    "table": ("loaded.table_1", "loaded.table_2"),
    "requestedBy": ("operator-1", "unknown"),
    "database": ("default",),
    "column": ("quantity", "price"),
    "sqlstate": ("22P02",),
}
_REQUIRED: Mapping[str, str] = {"base": "{snapshot}", "compare": "{other_snapshot}"}
_FACTS = """
SELECT
    (SELECT id FROM reporting.seeder_canned_report_manifest WHERE canned_report_id = 1 AND agency_slug = %(agency)s)
        AS subscription,
    (SELECT min(id) FROM reporting.seeder_custom_report_manifest WHERE agency_slug = %(agency)s) AS report,
    (SELECT max(run_id) FROM reporting.seeder_run WHERE run_id <> 'run-open') AS night,
    (SELECT request_id FROM reporting.seeder_queued_refresh WHERE description = 'everything' LIMIT 1) AS request,
    (SELECT min(id) FROM reporting.seeder_release_snapshot WHERE table_name = 'reporting.canned_1') AS snapshot,
    (SELECT max(id) FROM reporting.seeder_release_snapshot WHERE table_name = 'reporting.canned_1') AS other_snapshot,
    (SELECT max(r.id) FROM load_request AS r JOIN load_log AS l ON l.id = r.load_id WHERE l.target = 'loaded.table_2')
        AS load_request,
    (SELECT load_id FROM load_reject GROUP BY load_id ORDER BY count(*) DESC LIMIT 1) AS load
"""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One GET request."""

    endpoint: str  # the path of the description
    path: str
    query: Mapping[str, str]

    @property
    def page_size(self) -> str | None:
        return self.query.get("pageSize")

    def __str__(self) -> str:
        named = [f"{name}={value if len(value) < 30 else '…'}" for name, value in self.query.items()]
        return " ".join([self.path.removeprefix("/api/"), *named])


def calls_of(caller: APIClient, agency: str) -> Iterator[Call]:
    """Yield the calls of a user that may see the agency."""
    facts = {"agency": agency, **_facts(agency)}
    for endpoint, parameters in _described_endpoints():
        names = {parameter["name"]: parameter["schema"] for parameter in parameters if parameter["in"] == "query"}
        required = {name: _REQUIRED[name].format(**facts) for name in _REQUIRED if name in names}
        for path in _paths(endpoint, facts):
            for query in _pages(caller, path, names, [*_filters(names, facts)]):
                yield Call(endpoint=endpoint, path=path, query={**required, **query})


def _described_endpoints() -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Yield path and parameters of each GET endpoint of the URL configuration."""
    with GENERATOR_STATS.silence(), own_schema():
        description = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert description["paths"], "no endpoint is described, so none would be measured"
    for path, operations in description["paths"].items():
        if "get" in operations and not path.endswith(_EXCLUDED):
            yield path, operations["get"].get("parameters", ())


def _facts(agency: str) -> Mapping[str, Any]:
    [facts] = sessions.query(DEFAULT_DB_ALIAS, _FACTS, {"agency": agency}, row_factory=dict_row)
    return dict(facts)


def _paths(endpoint: str, facts: Mapping[str, Any]) -> Sequence[str]:
    for template, examples in _PATHS.items():
        if template in endpoint:
            return [endpoint.replace(template, example.format(**facts)) for example in examples]
    assert "{" not in endpoint, f"{endpoint} needs an example in _PATHS"
    return [endpoint]


def _filters(names: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """Yield no parameter, and each value of each filter and order."""
    yield {}
    for name, schema in names.items():
        if name not in {*_REQUIRED, *_PAGE_PARAMETERS}:
            yield from ({name: value.format(**facts)} for value in _values(name, schema))


def _values(name: str, schema: Mapping[str, Any]) -> Sequence[str]:
    choices = schema.get("items", schema).get("enum")
    if choices is not None:
        return [str(choice) for choice in choices]
    if schema["type"] == "boolean":
        return ("true", "false")
    if any(one.get("format") == "date" for one in schema.get("anyOf", [schema])):
        return [str((datetime.now(UTC) - age).date()) for age in (_DEEP, timedelta(days=1))]
    assert name in _EXAMPLES, f"the parameter {name} needs an example in _EXAMPLES"
    return _EXAMPLES[name]


def _pages(
    caller: APIClient, path: str, names: Container[str], filters: Sequence[Mapping[str, str]]
) -> Iterator[Mapping[str, str]]:
    """Yield each filter and a deep page, in each page size."""
    if "pageSize" not in names:
        yield from filters
        return
    deep_pages = _deep_cursors(caller, path) if "cursor" in names else []
    for size in PAGE_SIZES:
        yield from ({**query, "pageSize": str(size)} for query in (*filters, *deep_pages))


def _deep_cursors(caller: APIClient, path: str) -> Sequence[Mapping[str, str]]:
    """Return a cursor of rows that are months older, or of those some pages on if the list has another order."""
    text = _next_cursor(caller, path, {"pageSize": "1"})
    cursor = decode_cursor(text, is_numeric=False)
    if cursor is not None and cursor.instant is not None:
        return [{"cursor": encode_cursor(replace(cursor, instant=cursor.instant - _DEEP))}]
    for _ in range(_PAGES):
        following = text and _next_cursor(caller, path, {"pageSize": str(MAX_PAGE_SIZE), "cursor": text})
        if not following:
            break
        text = following
    return [{"cursor": text}] if text else []


def _next_cursor(caller: APIClient, path: str, query: Mapping[str, str]) -> str:
    """Return the cursor of the page after this one, or nothing after the last page."""
    following = caller.get(path, query).json()["next"]
    return str(parse_qs(urlsplit(following).query)["cursor"][0]) if following else ""
