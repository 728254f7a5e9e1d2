"""Views with freshness contracts, and what is known about their refreshes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from psycopg import sql

from seeder.domain import lock_keys
from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.deadlines import FreshBounds
from seeder.domain.freshness.states import ViewFacts
from seeder.domain.monitoring.report_jobs import JobFilter
from seeder.domain.outcomes import HeldReason, Status
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.monitoring_queries import metrics_table
from seeder.postgres.named_statements import STATEMENTS

_HELD_REASONS = {*HeldReason}
_STATUSES: Mapping[str | None, Status | None] = {None: None} | {str(status): status for status in Status}
_MAX_EXACT = 100  # views with exact durations; those of more are in whole seconds, which is enough for deadlines
ListedRow = tuple[str, str, int]  # table name, agency and database of a manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshViews:
    """Views that are certainly fresh."""

    name: ViewName | None  # of a view with contracts of its own
    agencies: Sequence[str]
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshnessScope:
    """Which views are returned beside those that can be other than fresh."""

    names: list[str] = field(default_factory=list)  # views of these names, as manifests spell them
    with_unknown: bool = True  # views of an unknown age, even if no contract is for their name or an agency
    max_fresh: int = 0  # the first views with a contract
    with_counts: bool = False  # how many others there are; a third of the time


def listed_views(databases: Mapping[int, str], *, agency: str | None = None) -> Sequence[ListedRow]:
    """Return the enabled manifests in these databases (none: all), in the order in which they represent their view."""
    statement = "\n".join(STATEMENTS[part] for part in ("listed_manifests", "listed_views", "all_listed_views"))
    return sessions.query(DEFAULT_DB_ALIAS, statement, _listed_parameters(databases, agency=agency))


def views_to_judge(
    databases: Mapping[int, str], bounds: Iterable[tuple[FreshnessContract, FreshBounds]], scope: FreshnessScope
) -> tuple[Sequence[ListedRow], Sequence[FreshViews]]:
    """Return the manifests of views whose contracts can be other than fresh, and how many other views there are."""
    parts = ("listed_manifests", "listed_views", "views_to_judge")
    statement = sql.SQL("\n".join(STATEMENTS[part] for part in parts)).format(
        materialized_view_versions=sql.SQL(STATEMENTS["materialized_view_versions"]),
        usual_duration=_usual_duration("s"),
    )
    pairs = list(bounds)
    of_views = {contract.view and str(contract.view): contract.view for contract, _ in pairs}
    parameters = {
        **_listed_parameters(databases),
        "own_databases": [number for number, alias in databases.items() if alias == DEFAULT_DB_ALIAS]
        if databases
        else None,
        "database": DEFAULT_DB_ALIAS,
        "contract_agencies": [contract.agency for contract, _ in pairs],
        "contract_views": [contract.view and str(contract.view) for contract, _ in pairs],
        "current_since": [one.current_since for _, one in pairs],
        "usable_since": [one.usable_since for _, one in pairs],
        "spares": [one.spare for _, one in pairs],
        **asdict(scope),
    }
    rows = sessions.query(DEFAULT_DB_ALIAS, statement, parameters)
    to_judge = [(name, agencies[0], database_id) for name, agencies, database_id, views, *_ in rows if views is None]
    fresh = [
        FreshViews(name=of_views.get(name), agencies=agencies, number=views)
        for name, agencies, _, views, *_ in rows
        if views is not None
    ]
    return to_judge, fresh


def _listed_parameters(databases: Mapping[int, str], *, agency: str | None = None) -> dict[str, Any]:
    listed = asdict(JobFilter(agencies=None if agency is None else [agency]))
    return {**listed, "databases": list(databases) or None}


def _usual_duration(relation: str) -> sql.Composed:
    """Return the query for the usual duration of a view, inside a statement with its name in a relation."""
    query = sql.SQL(STATEMENTS["usual_duration"].rstrip(";"))
    return query.format(table_name=sql.Identifier(relation, "table_name"))


def view_facts(names: Collection[str], *, has_metrics: bool) -> Mapping[str, ViewFacts]:
    """Return the facts of views by their names as manifests spell them."""
    metrics = metrics_table(has_metrics=has_metrics)
    statement = sql.SQL(f"WITH {STATEMENTS['latest_state']}\n{STATEMENTS['contract_facts']}").format(
        metrics=metrics, usual_duration=_usual_duration("wanted")
    )
    parameters = {"names": list(names), "exact": len(names) <= _MAX_EXACT, "run_lock": lock_keys.of_run("")}
    rows = sessions.query(DEFAULT_DB_ALIAS, statement, parameters)
    return {
        name: ViewFacts(
            status=_STATUSES[status],
            failing=failures > 0,
            last_started_at=started_at,
            last_success_at=started_at if succeeded else success_at,
            usual_duration=duration,
            is_held=reason is not None and reason in _HELD_REASONS,
            is_interrupted=is_interrupted,
        )
        for name, status, failures, started_at, succeeded, success_at, duration, reason, is_interrupted in rows
    }
