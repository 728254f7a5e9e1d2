"""Functions of views that use names or operators without a schema.

PostgreSQL 17 and later refresh a view with `search_path = pg_catalog, pg_temp`, so such a name is not found unless the
function sets its own search_path. If PostgreSQL has an operator or a function of that name for other types, it takes
that one without a message. Bodies are not parsed: every word that could be a name counts, also in texts, because texts
can be executed. Words that name no relation, function or type are ignored later, as are operators of types that a
function does not seem to use.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from typing import NamedTuple

from django.db import Error

from seeder.domain.human_format import format_names
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, Problem, info_problem, warning_problem
from seeder.texts import Text

FUNCTION_UNQUALIFIED = warning_problem(
    name="function_unqualified",
    area="views",
    meaning=Text(
        "A function of a view seems to use a table, function, type or operator without its schema. PostgreSQL 17 and"
        " later refresh with `search_path = pg_catalog, pg_temp`: they do not find it, or take another operator, and"
        " the view has other rows without an error. Found by the words of its body: it can be a column or variable of"
        " that name, and composed names are not found."
    ),
    fix=Text(
        "Its owner can set its search_path, or qualify the names. A SQL function with a search_path is not inlined."
    ),
)
FUNCTION_UPGRADE = info_problem(
    name="function_upgrade",
    area="views",
    meaning=Text("As `function_unqualified`, on a server before 17: the refresh works until the upgrade."),
    fix=FUNCTION_UNQUALIFIED.fix,
)

_FIRST_RESTRICTED_MAJOR = 17  # the first major version that resets the search_path
_IDENTIFIER = r'(?:"(?:[^"]|"")+"|[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)'
_QUALIFIED_NAME = re.compile(
    rf"--[^\n]*|/\*.*?\*/|(?P<alias>\bAS\s+{_IDENTIFIER}(?![\w$]|\s*\.))|(?P<name>{_IDENTIFIER}(?:\s*\.\s*(?:{_IDENTIFIER}|\*))*)",
    re.DOTALL | re.IGNORECASE | re.ASCII,
)
_EACH_IDENTIFIER = re.compile(_IDENTIFIER, re.ASCII)
_OPERATOR = re.compile(
    r"--[^\n]*|/\*.*?\*/|(?P<text>'(?:[^']|'')*')|\"(?:[^\"]|\"\")*\"|\bOPERATOR\s*\([^)]*\)|:=|=>"
    r"|(?P<operator>[-+*/<>=~!@#%^&|`?]+)",
    re.DOTALL | re.IGNORECASE,
)
_SPACED_OPERATOR = re.compile(r"(?<=\s)[-+*/<>=~!@#%^&|`?]+(?=\s)")
_OPERATORS_BY_KEYWORD: Mapping[str, Set[str]] = {
    "like": {"~~", "!~~"},
    "ilike": {"~~*", "!~~*"},
    "similar": {"~", "!~"},
    "between": {"<", "<=", ">", ">="},
    **{word: {"=", "<>"} for word in ("in", "any", "all", "some")},
    **{word: {"="} for word in ("distinct", "nullif", "case", "using", "natural")},
}


class FunctionWithoutSearchPath(NamedTuple):
    """A function with a text body and without its own search_path."""

    oid: int
    schema: str
    name: str
    signature: str  # for ALTER FUNCTION
    body: str


class Definition(NamedTuple):
    """A name that exists outside PostgreSQL's own schemas."""

    label: str
    schema: str  # quoted


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    callers: dict[int, set[str]] = defaultdict(set)
    for view, used_objects in database.used_objects.items():
        for one in used_objects:
            if one.function_oid is not None and one.is_opaque:
                callers[one.function_oid].add(str(view))
    with suppress(Error):  # reported by the check of missing views
        for view, oids in database.survey.functions.items() if database.survey else ():
            for oid in oids if view not in database.relations else ():
                callers[oid].add(str(view))
    if not callers:
        return
    functions = database.read("functions_without_search_path")
    reached = functions_reached(callers, map(FunctionWithoutSearchPath._make, functions))
    problem = FUNCTION_UNQUALIFIED if database.server.major >= _FIRST_RESTRICTED_MAJOR else FUNCTION_UPGRADE
    yield from check_names(reached, _definitions(database, reached.keys()), problem)


def _definitions(
    database: CheckedDatabase, functions: Collection[FunctionWithoutSearchPath]
) -> Mapping[int, Sequence[Definition]]:
    """Return the definitions of names and operators that each function seems to use without their schema."""
    names = {function.oid: unqualified_names(function.body) for function in functions}
    qualified = [(function.oid, parts) for function in functions for parts in set(possible_names(function.body))]
    operators = [(function.oid, name) for function in functions for name in unqualified_operators(function.body)]
    defined = database.read("schemas_defining", names=sorted(set().union(*names.values())))
    found = {oid: [Definition(name, schema) for name, schema in defined if name in used] for oid, used in names.items()}
    for oid, label, schema, _ in database.read(
        "overloads_in_other_schemas",
        function_oids=[*names],
        name_oids=[oid for oid, _ in qualified],
        name_schemas=[parts[0] if len(parts) > 1 else None for _, parts in qualified],
        names=[parts[min(len(parts) - 1, 1)] for _, parts in qualified],
        word_oids=[oid for oid, parts in qualified for _ in parts],
        words=[part for _, parts in qualified for part in parts],
        operator_oids=[oid for oid, _ in operators],
        operators=[operator for _, operator in operators],
    ):
        found[oid].append(Definition(label, schema))
    return found


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
        for parts in possible_names(function.body):
            pending += [(called, views) for called in by_name.get((parts[0], parts[-1]), ()) if len(parts) == 2]
    return reached


def check_names(
    functions: Mapping[FunctionWithoutSearchPath, Set[str]],
    definitions: Mapping[int, Sequence[Definition]],
    problem: Problem,
) -> Iterator[Diagnosis]:
    """Yield functions with unresolved names. `definitions` are by OID, in the order for a search_path."""
    for function, views in functions.items():
        if unresolved := sorted({definition.label for definition in definitions[function.oid]}):
            search_path = ", ".join(dict.fromkeys(definition.schema for definition in definitions[function.oid]))
            yield problem.found(
                function.signature,
                message=Text(
                    "Without a schema: {names}. Used by {views}.",
                    names=", ".join(unresolved),
                    views=format_names(views, "view"),
                ),
                sql=f"ALTER FUNCTION {function.signature} SET search_path = {search_path};",
            )


def unqualified_names(body: str) -> Set[str]:
    """Return the possible names without a schema."""
    return {parts[0] for parts in possible_names(body) if len(parts) == 1}


def unqualified_operators(body: str) -> Set[str]:
    """Return the possible operators without a schema, also those of keywords.

    In a text, which can be executed, an operator has blanks on both sides: `%` in a text is usually a placeholder.
    """
    words = unqualified_names(body)
    found = {operator for word in words for operator in _OPERATORS_BY_KEYWORD.get(word, ())}
    for match in _OPERATOR.finditer(body):
        if match["operator"]:
            found |= _variants(match["operator"])
        elif match["text"] and "execute" in words:
            found |= {name for operator in _SPACED_OPERATOR.findall(match["text"]) for name in _variants(operator)}
    return found


def _variants(token: str) -> Set[str]:
    """Return the operators that PostgreSQL can read from adjacent characters."""
    token = {"!=": "<>"}.get(token, token)
    return {token, token.rstrip("+-") or token[:1]}


def possible_names(body: str) -> Iterator[tuple[str, ...]]:
    """Yield the parts of possible names, as in the catalog."""
    for match in _QUALIFIED_NAME.finditer(body):
        if match["name"]:
            yield tuple(_fold_case(part) for part in _EACH_IDENTIFIER.findall(match["name"]))


def _fold_case(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.lower()
