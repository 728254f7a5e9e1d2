"""The views of enabled manifests, and those of them whose contracts can be other than fresh."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.deadlines import FreshBounds, fresh_bounds
from seeder.domain.manifests import ViewKey
from seeder.domain.view_names import ViewName
from seeder.postgres import freshness_queries
from seeder.postgres.freshness_queries import FreshnessScope, FreshViews, ListedRow
from seeder.services.freshness_contracts import Contracts


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedView:
    """A view of enabled manifests."""

    key: ViewKey
    table_name: str
    agencies: tuple[str, ...]  # of its manifests, in order
    spellings: Collection[str] = ()  # all, as manifests have them


def listed_views(databases: Mapping[int, str], *, agency: str | None = None) -> Iterator[ListedView]:
    """Yield the views of enabled manifests, or only those of one agency, once under their first spelling."""
    return _views(freshness_queries.listed_views(databases, agency=agency), databases)


def named_views(databases: Mapping[int, str], names: Collection[ViewName]) -> Sequence[ListedView]:
    """Return the views of these names. Takes two statements."""
    views, _ = _select_views(databases, (), FreshnessScope(names=[*map(str, names)]))
    return [view for view in views if view.key.name in names]


def views_to_judge(
    databases: Mapping[int, str], contracts: Contracts, now: datetime, *, max_fresh: int, with_counts: bool
) -> tuple[Sequence[ListedView], Sequence[FreshViews]]:
    """Return the views whose contracts can be other than fresh, and the numbers of the others if required.

    With them come the first `max_fresh` views with a contract. Takes one statement, or two if manifests spell names in
    other ways than the server.
    """
    bounds = [(contract, fresh_bounds(contract, now)) for contract in contracts.all]
    scope = FreshnessScope(with_unknown=bool(contracts.of_views), max_fresh=max_fresh, with_counts=with_counts)
    return _select_views(databases, bounds, scope)


def _select_views(
    databases: Mapping[int, str], bounds: Sequence[tuple[FreshnessContract, FreshBounds]], scope: FreshnessScope
) -> tuple[Sequence[ListedView], Sequence[FreshViews]]:
    """Return the views with all their manifests. The server finds only the manifests that spell names as it does."""
    while True:
        rows, fresh = freshness_queries.views_to_judge(databases, bounds, scope)
        views = [*_views(rows, databases)]
        printed = {str(view.key.name) for view in views}
        if printed <= {*scope.names, *(table_name for table_name, _, _ in rows)}:
            return views, fresh
        scope = replace(scope, names=[*printed.union(scope.names)])


def _views(rows: Sequence[ListedRow], databases: Mapping[int, str]) -> Iterator[ListedView]:
    names = {table_name: ViewName.parse_or_none(table_name) for table_name, _, _ in rows}
    one_agency = {slug: (slug,) for _, slug, _ in rows}  # one tuple for all views of an agency
    spellings, agencies = dict[tuple[str, str, str], tuple[str, ...]](), dict[tuple[str, str, str], tuple[str, ...]]()
    for table_name, slug, database_id in rows:
        name = names[table_name]
        if name is not None:
            key = (databases.get(database_id, DEFAULT_DB_ALIAS), name.schema, name.name)
            if key in agencies:
                spellings[key], agencies[key] = (*spellings[key], table_name), (*agencies[key], slug)
            else:
                spellings[key], agencies[key] = (table_name,), one_agency[slug]
    for key, spelled in spellings.items():
        slugs = agencies[key]
        yield ListedView(
            key=ViewKey(database=key[0], name=ViewName(schema=key[1], name=key[2])),
            table_name=spelled[0],
            agencies=slugs if len(slugs) == 1 else tuple(sorted({*slugs})),
            spellings=spelled if len(spelled) == 1 else tuple(dict.fromkeys(spelled)),
        )
