"""Reads what decides whether the queries of views are closed."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from seeder.domain.closed_queries import FactKind, QueryFact, reasons_not_closed, reasons_not_repeatable
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.catalog import name_lists
from seeder.postgres.named_statements import STATEMENTS


def why_not_closed(database: str, views: Collection[ViewName]) -> Mapping[ViewName, tuple[str, ...]]:
    """Return for each view that exists why its query is not closed. Nothing if it is. Takes one round trip."""
    return {view: reasons_not_closed(facts) for view, facts in query_facts(database, views).items()}


def why_not_repeatable(database: str, views: Collection[ViewName]) -> Mapping[ViewName, tuple[str, ...]]:
    """Return for each view that exists why its query is not repeatable. Nothing if it is. Takes one round trip."""
    return {view: reasons_not_repeatable(facts) for view, facts in query_facts(database, views).items()}


def query_facts(database: str, views: Collection[ViewName]) -> Mapping[ViewName, list[QueryFact]]:
    """Return what the queries of materialized views use, or those of temporary views in `pg_temp`."""
    facts = defaultdict[ViewName, list[QueryFact]](list)
    for schema, name, kind, subject, detail in sessions.query(database, STATEMENTS["query_facts"], name_lists(views)):
        known = facts[ViewName(schema=schema, name=name)]
        if kind is not None:
            known.append(QueryFact(FactKind(kind), subject, detail))
    return facts
