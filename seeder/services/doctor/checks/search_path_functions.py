"""Functions of views that use names without a schema.

PostgreSQL 17 and later refresh a view with `search_path = pg_catalog, pg_temp`, so such a name is not found unless the
function sets its own search_path. Bodies are not parsed: every word that could be a name counts, also in texts, because
texts can be executed. Words that name no relation, function or type are ignored later.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from seeder.domain.human_format import format_count
from seeder.domain.view_names import ViewName
from seeder.postgres.catalog import name_lists
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, Problem, info_problem, warning_problem

FUNCTION_UNQUALIFIED = warning_problem(
    name="function_unqualified",
    area="views",
    meaning="A function of a view seems to name a table, function or type without its schema. PostgreSQL 17 and later"
    " refresh with `search_path = pg_catalog, pg_temp` and do not find it. Found by the words of its body: it can be a"
    " column or variable of that name, and composed names are not found.",
    fix="Its owner can set its search_path, or qualify the names. A SQL function with a search_path is not inlined.",
)
FUNCTION_UPGRADE = info_problem(
    name="function_upgrade",
    area="views",
    meaning="As `function_unqualified`, on a server before 17: the refresh works until the upgrade.",
    fix=FUNCTION_UNQUALIFIED.fix,
)

_FIRST_RESTRICTED_MAJOR = 17  # the first major version that resets the search_path
_IDENTIFIER = r'(?:"(?:[^"]|"")+"|[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)'
_QUALIFIED_NAME = re.compile(
    rf"--[^\n]*|/\*.*?\*/|(?P<alias>\bAS\s+{_IDENTIFIER}(?![\w$]|\s*\.))|(?P<name>{_IDENTIFIER}(?:\s*\.\s*(?:{_IDENTIFIER}|\*))*)",
    re.DOTALL | re.IGNORECASE | re.ASCII,
)
_EACH_IDENTIFIER = re.compile(_IDENTIFIER, re.ASCII)
_MAX_SHOWN_VIEWS = 3


class FunctionWithoutSearchPath(NamedTuple):
    """A function with a text body and without its own search_path."""

    oid: int
    schema: str
    name: str
    signature: str  # for ALTER FUNCTION
    body: str


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    callers: dict[int, set[str]] = defaultdict(set)
    rows = database.read("dependencies", **name_lists(database.relations), kinds=["m"])
    for schema, name, *_, oid, is_opaque in rows:
        if is_opaque:
            callers[oid].add(str(ViewName(schema=schema, name=name)))
    if not callers:
        return
    functions = database.read("functions_without_search_path")
    reached = functions_reached(callers, map(FunctionWithoutSearchPath._make, functions))
    used = {name for function in reached for name in unqualified_names(function.body)}
    definitions = database.read("schemas_defining", names=sorted(used))
    problem = FUNCTION_UNQUALIFIED if database.server.major >= _FIRST_RESTRICTED_MAJOR else FUNCTION_UPGRADE
    yield from check_names(reached, definitions, problem)


def functions_reached(
    callers: Mapping[int, Set[str]], functions: Iterable[FunctionWithoutSearchPath]
) -> Mapping[FunctionWithoutSearchPath, Set[str]]:
    """Return the functions that views reach, with these views.

    `callers` has the views by the OID of a function whose use the server knows. A function that one of them calls by
    schema and name is reached too.
    """
    all_functions = list(functions)
    by_name = defaultdict(list)
    for function in all_functions:
        by_name[function.schema, function.name].append(function)
    reached: dict[FunctionWithoutSearchPath, set[str]] = {}
    pending = [(function, callers[function.oid]) for function in all_functions if function.oid in callers]
    while pending:
        function, views = pending.pop()
        if views <= reached.setdefault(function, set()):
            continue
        reached[function] |= views
        for parts in _possible_names(function.body):
            pending += [(called, views) for called in by_name.get((parts[0], parts[-1]), ()) if len(parts) == 2]
    return reached


def check_names(
    functions: Mapping[FunctionWithoutSearchPath, Set[str]], definitions: Sequence[tuple[str, str]], problem: Problem
) -> Iterator[Diagnosis]:
    """Yield functions with unresolved names.

    `definitions` has each existing name with a quoted schema that defines it, in the order for a search_path.
    """
    for function, views in functions.items():
        used = unqualified_names(function.body)
        unresolved = sorted({name for name, _ in definitions if name in used})
        if unresolved:
            shown, hidden_count = sorted(views)[:_MAX_SHOWN_VIEWS], len(views) - _MAX_SHOWN_VIEWS
            more = f" and {format_count(hidden_count, 'more view')}" if hidden_count > 0 else ""
            search_path = ", ".join(dict.fromkeys(schema for name, schema in definitions if name in used))
            yield problem.found(
                function.signature,
                message=f"Without a schema: {', '.join(unresolved)}. Used by {', '.join(shown)}{more}.",
                sql=f"ALTER FUNCTION {function.signature} SET search_path = {search_path};",
            )


def unqualified_names(body: str) -> Set[str]:
    """Return the possible names without a schema."""
    return {parts[0] for parts in _possible_names(body) if len(parts) == 1}


def _possible_names(body: str) -> Iterator[tuple[str, ...]]:
    """Yield the parts of possible names, as in the catalog."""
    for match in _QUALIFIED_NAME.finditer(body):
        if match["name"]:
            yield tuple(_fold_case(part) for part in _EACH_IDENTIFIER.findall(match["name"]))


def _fold_case(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.lower()
