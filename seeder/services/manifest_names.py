"""Finds enabled manifests by the names of their views or by agencies, without reading all of them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Case, F, Func, Q, TextField, Value, When
from django.db.models.functions import Collate, Lower
from django.db.models.lookups import In

from seeder.domain.declared_dependencies import Declaration, find_declaration
from seeder.domain.manifests import ViewKey
from seeder.domain.view_names import DEFAULT_SCHEMA, ViewName
from seeder.models import CannedReportManifest, CustomReportManifest
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.storable_text import is_storable

_IGNORED = '" \t\n\r\f'  # two spellings of a name differ in these characters and in the case of ASCII letters
_FOLDING = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", _IGNORED)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaringView:
    """A view whose queries can declare dependencies."""

    declaring_queries: list[str] = field(default_factory=list)

    @property
    def declaration(self) -> Declaration | None:
        """The dependencies that its queries declare."""
        return find_declaration(self.declaring_queries)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedView(DeclaringView):
    """A view of enabled manifests, as far as these were found."""

    agencies: set[str] = field(default_factory=set)


def can_name(names: Iterable[ViewName], column: str = "table_name") -> Q:
    """Return the condition that a column can be a spelling of one of the names.

    A few other names fold to the same text, so the caller has to compare the parsed name.
    """
    folded = {text.translate(_FOLDING) for text in map(str, names) if is_storable(text)}
    short = {one.removeprefix(f"{DEFAULT_SCHEMA}.") for one in folded}
    lower = Lower(Collate(F(column), "C"))
    spelling = Func(lower, Value(_IGNORED), Value(""), function="translate", output_field=TextField())
    return Q(In(spelling, sorted(folded | short)))


@translate_database_errors(DEFAULT_DB_ALIAS)
def find_listed_views(
    names: Collection[ViewName] = (), agencies: Collection[str] = (), *, databases: Mapping[int, str]
) -> Mapping[ViewKey, ListedView]:
    """Return the views of enabled manifests with one of the names or agencies, and a few others: see `can_name`.

    Takes two statements. Reads only queries that declare dependencies.
    """
    rows: list[tuple[Any, ...]] = []
    for manifests, report in (
        (CustomReportManifest.objects.enabled(), ""),
        (CannedReportManifest.objects.all(), "canned_report__"),
    ):
        found = manifests.filter(can_name(names, f"{report}table_name") | Q(agency_slug__in=agencies))
        query = f"{report}query"
        declaring = Case(When(**{f"{query}__contains": "depends_on:"}, then=F(query)))
        rows += found.values_list(f"{report}table_name", f"{report}database_id", "agency_slug", declaring)
    listed: dict[ViewKey, ListedView] = {}
    for table_name, database_id, agency, declaring_query in rows:
        alias, name = databases.get(database_id) if databases else DEFAULT_DB_ALIAS, ViewName.parse_or_none(table_name)
        if alias is None or name is None:
            continue
        view = listed.setdefault(ViewKey(database=alias, name=name), ListedView())
        view.agencies.add(agency)
        if declaring_query is not None:
            view.declaring_queries.append(declaring_query)
    return listed
