"""Which functions of a view name something without its schema.

From PostgreSQL 17 on a view is refreshed with `search_path = pg_catalog, pg_temp`, so that such a name means nothing
unless the function brings a search_path of its own. A body is not parsed here as PostgreSQL would: every word counts
that could be a name, those in texts too, as texts are executed; what no relation, function or type is called by does
no harm.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from seeder.domain.diagnosis import Diagnosis, Word
from seeder.domain.units import count
from seeder.domain.view_rules import Us

_STRICT = 17  # the first major version that refreshes so
_PART = r'(?:"(?:[^"]|"")+"|[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)'
_NAME = re.compile(
    rf"--[^\n]*|/\*.*?\*/|(?P<alias>\bAS\s+{_PART}(?![\w$]|\s*\.))|(?P<name>{_PART}(?:\s*\.\s*(?:{_PART}|\*))*)",
    re.DOTALL | re.IGNORECASE | re.ASCII,
)
_EACH = re.compile(_PART, re.ASCII)
_SHOWN = 3  # views, in a sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """One whose body is a text, and which has no search_path of its own."""

    oid: int
    schema: str
    name: str
    signature: str  # as ALTER FUNCTION wants it
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """A schema in which something has a name."""

    sql: str  # as SQL wants it
    place: int | None  # in the search_path of our session; None: not there


def names(body: str) -> Iterator[tuple[str, ...]]:
    """Whatever may be a name: its parts as the catalog spells them."""
    for found in _NAME.finditer(body):
        if found["name"]:
            yield tuple(_folded(part) for part in _EACH.findall(found["name"]))


def bare(body: str) -> Set[str]:
    """The names without a schema."""
    return {parts[0] for parts in names(body) if len(parts) == 1}


def reached(start: Mapping[int, Set[str]], functions: Iterable[Function]) -> Mapping[Function, Set[str]]:
    """Of these functions those that views reach, with the views: `start` has those that the server knows of, by OID,
    and a function that one of them calls by schema and name is reached as well."""
    everything = list(functions)
    by_oid = {one.oid: one for one in everything}
    by_name: dict[tuple[str, str], list[Function]] = {}
    for one in everything:
        by_name.setdefault((one.schema, one.name), []).append(one)
    views: dict[Function, set[str]] = {}
    waiting = [(by_oid[oid], of) for oid, of in start.items() if oid in by_oid]
    while waiting:
        function, of = waiting.pop()
        if of <= views.setdefault(function, set()):
            continue
        views[function] |= of
        for parts in names(function.body):
            waiting += [(called, of) for called in by_name.get((parts[0], parts[-1]), ()) if len(parts) == 2]
    return views


def of_functions(
    views: Mapping[Function, Set[str]], homes: Mapping[str, Sequence[Home]], us: Us
) -> Iterator[Diagnosis]:
    """`homes`: where each bare name is that means anything at all."""
    strict = us.major >= _STRICT
    finds = "a refresh finds" if strict else "from PostgreSQL 17 on a refresh will find"
    for function, of in views.items():
        lacking = sorted(bare(function.body) & homes.keys())
        if lacking:
            shown = sorted(of)[:_SHOWN]
            more = f" and {count(len(of) - _SHOWN, 'more view')}" if len(of) > _SHOWN else ""
            path = ", ".join(_path([home for name in lacking for home in homes[name]]))
            yield Diagnosis(
                word=Word.FUNCTION_UNQUALIFIED if strict else Word.FUNCTION_UPGRADE,
                database=us.database,
                about=function.signature,
                message=f"It seems to name {', '.join(lacking)} without a schema, and is used by"
                f" {', '.join(shown)}{more}: {finds} nothing there.",
                fix="Its owner can give it a search_path (or write the schemas into its body; a SQL function with a"
                " search_path is not inlined):",
                sql=f"ALTER FUNCTION {function.signature} SET search_path = {path};",
            )


def _path(homes: Iterable[Home]) -> list[str]:
    """As our session would look, then the other schemas."""
    places: dict[str, int | None] = {home.sql: home.place for home in homes}
    return sorted(places, key=lambda sql: (places[sql] is None, places[sql] or 0, sql))


def _folded(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.lower()
