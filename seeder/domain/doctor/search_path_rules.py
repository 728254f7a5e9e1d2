"""Find functions of views that use names without a schema.

PostgreSQL 17 and later refresh a view with `search_path = pg_catalog, pg_temp`, so such a name is not found unless the
function sets its own search_path. Bodies are not parsed: every word that could be a name counts, also in texts, because
texts can be executed. Words that name no relation, function or type are ignored later.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.domain.doctor.view_rules import DatabaseRole
from seeder.domain.human_format import format_count

_FIRST_RESTRICTED_MAJOR = 17  # the first major version that resets the search_path
_IDENTIFIER = r'(?:"(?:[^"]|"")+"|[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)'
_QUALIFIED_NAME = re.compile(
    rf"--[^\n]*|/\*.*?\*/|(?P<alias>\bAS\s+{_IDENTIFIER}(?![\w$]|\s*\.))|(?P<name>{_IDENTIFIER}(?:\s*\.\s*(?:{_IDENTIFIER}|\*))*)",
    re.DOTALL | re.IGNORECASE | re.ASCII,
)
_EACH_IDENTIFIER = re.compile(_IDENTIFIER, re.ASCII)
_MAX_SHOWN_VIEWS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionWithoutSearchPath:
    """A function with a text body and without its own search_path."""

    oid: int
    schema: str
    name: str
    signature: str  # for ALTER FUNCTION
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NameLocation:
    """A schema that defines a name."""

    quoted_schema: str
    search_path_position: int | None  # in the search_path of this session; None: not in it


def possible_names(body: str) -> Iterator[tuple[str, ...]]:
    """Yield the parts of everything that may be a name, as in the catalog."""
    for match in _QUALIFIED_NAME.finditer(body):
        if match["name"]:
            yield tuple(_fold_case(part) for part in _EACH_IDENTIFIER.findall(match["name"]))


def unqualified_names(body: str) -> Set[str]:
    """Return the possible names without a schema."""
    return {parts[0] for parts in possible_names(body) if len(parts) == 1}


def functions_reached(
    views_by_oid: Mapping[int, Set[str]], functions: Iterable[FunctionWithoutSearchPath]
) -> Mapping[FunctionWithoutSearchPath, Set[str]]:
    """Return the functions that views reach, with these views.

    `views_by_oid` has the functions whose use the server knows. A function that one of them calls by schema and name is
    reached too.
    """
    all_functions = list(functions)
    by_oid = {one.oid: one for one in all_functions}
    by_name: dict[tuple[str, str], list[FunctionWithoutSearchPath]] = {}
    for one in all_functions:
        by_name.setdefault((one.schema, one.name), []).append(one)
    views: dict[FunctionWithoutSearchPath, set[str]] = {}
    pending = [(by_oid[oid], of) for oid, of in views_by_oid.items() if oid in by_oid]
    while pending:
        function, of = pending.pop()
        if of <= views.setdefault(function, set()):
            continue
        views[function] |= of
        for parts in possible_names(function.body):
            pending += [(called, of) for called in by_name.get((parts[0], parts[-1]), ()) if len(parts) == 2]
    return views


def check_functions(
    views: Mapping[FunctionWithoutSearchPath, Set[str]],
    locations: Mapping[str, Sequence[NameLocation]],
    role: DatabaseRole,
) -> Iterator[Diagnosis]:
    """Yield functions with unresolved names. `locations` has the schemas of each existing name."""
    is_restricted = role.server_major >= _FIRST_RESTRICTED_MAJOR
    when_missing = "a refresh finds" if is_restricted else "from PostgreSQL 17 on a refresh will find"
    for function, using_views in views.items():
        unresolved = sorted(unqualified_names(function.body) & locations.keys())
        if unresolved:
            shown = sorted(using_views)[:_MAX_SHOWN_VIEWS]
            more = (
                f" and {format_count(len(using_views) - _MAX_SHOWN_VIEWS, 'more view')}"
                if len(using_views) > _MAX_SHOWN_VIEWS
                else ""
            )
            search_path = ", ".join(_search_path([found for name in unresolved for found in locations[name]]))
            yield Diagnosis(
                problem=Problem.FUNCTION_UNQUALIFIED if is_restricted else Problem.FUNCTION_UPGRADE,
                database=role.database_alias,
                subject=function.signature,
                message=f"It seems to name {', '.join(unresolved)} without a schema, and is used by"
                f" {', '.join(shown)}{more}: {when_missing} nothing there.",
                fix="Its owner can give it a search_path (or write the schemas into its body; a SQL function with a"
                " search_path is not inlined):",
                sql=f"ALTER FUNCTION {function.signature} SET search_path = {search_path};",
            )


def _search_path(locations: Iterable[NameLocation]) -> list[str]:
    """Return the schemas in the order of this session's search_path, then the others."""
    positions: dict[str, int | None] = {one.quoted_schema: one.search_path_position for one in locations}
    return sorted(positions, key=lambda sql: (positions[sql] is None, positions[sql] or 0, sql))


def _fold_case(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.lower()
