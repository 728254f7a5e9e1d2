"""All checks of all databases.

A check that fails is reported as a problem, and the others still run.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from django.db import DEFAULT_DB_ALIAS, Error

from seeder import conf
from seeder.conf import Settings
from seeder.domain.doctor.diagnosis import CheckedDatabase, Diagnosis, DoctorReport, Problem
from seeder.domain.manifests import Selection, ViewKey
from seeder.domain.refresh_requests import AllReports
from seeder.errors import DatabaseError, SeederError, ServerUnreachable
from seeder.postgres import doctor_server_queries
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_selection
from seeder.services.doctor import (
    circuit_breaker_checks,
    contract_checks,
    definition_checks,
    queue_checks,
    search_path_checks,
    server_checks,
    view_checks,
)
from seeder.services.doctor.check_context import CheckContext

Check = Callable[[CheckContext], Iterable[Diagnosis]]
ComparisonProgress = Callable[[int, int], object]

_HISTORY_CHECKS: tuple[tuple[str, Check], ...] = (
    ("the reporting tables", contract_checks.check_tables),
    ("privileges on the reporting tables", contract_checks.check_privileges),
    ("the manifests", view_checks.check_manifests),
    ("the circuit breakers", circuit_breaker_checks.check_breakers),
    ("the queue", queue_checks.check_queue),
    ("the settings", queue_checks.check_settings),
)
_DATABASE_CHECKS: tuple[tuple[str, Check], ...] = (
    ("the server", server_checks.check_server),
    ("what the throttle sees", server_checks.check_throttle),
    ("pg_stat_statements", server_checks.check_pg_stat_statements),
    ("schemas", view_checks.check_schemas),
    ("views", view_checks.check_views),
    ("what views read", view_checks.check_sources),
    ("views that no manifest names", view_checks.check_unlisted),
    ("indexes", view_checks.check_indexes),
    ("functions in views", search_path_checks.check_functions),
)
_DRIFT_CHECK: tuple[str, Check] = ("the queries of manifests", definition_checks.check_queries)
_MISSING_VIEWS_CHECK: tuple[str, Check] = ("missing views", definition_checks.check_missing)


def run_checks(*, compare: bool = True, on_progress: ComparisonProgress = lambda *_: None) -> DoctorReport:
    """Check the default database and every database in SEEDER['DATABASES'].

    `compare` also compares queries with their views, which takes one or two milliseconds for each uncached query.
    `on_progress` is called with the number of compared queries and the total.

    Raises `ConfigurationError`, or `DatabaseError` if the default database cannot be queried.
    """
    settings = conf.load()
    selection, listed, found = _manifests(settings)
    databases = []
    for alias in (DEFAULT_DB_ALIAS, *sorted({*settings.databases.values()} - {DEFAULT_DB_ALIAS})):
        try:
            with translate_database_errors(alias):
                there = doctor_server_queries.server_facts(alias)
        except DatabaseError as error:
            if alias == DEFAULT_DB_ALIAS:
                raise
            found.append(_unreachable(alias, error))
            continue
        context = CheckContext(
            alias=alias, server=there, settings=settings, selection=selection, listed=listed, on_progress=on_progress
        )
        found += _run_database_checks(context, compare=compare)
        databases.append(
            CheckedDatabase(
                alias=alias,
                server_version=f"PostgreSQL {there.version_text}",
                role=there.role,
                view_count=len(context.views),
            )
        )
    return DoctorReport(databases=tuple(databases), diagnoses=tuple(sorted(found, key=lambda one: one.sort_key)))


def _manifests(settings: Settings) -> tuple[Selection, frozenset[ViewKey], list[Diagnosis]]:
    """The enabled manifests and all listed views, or nothing if they cannot be read.

    The checks of the tables then report the cause.
    """
    try:
        selection = manifest_selection.select(AllReports(), databases=settings.databases)
        return selection, manifest_selection.all_listed_views(databases=settings.databases), []
    except ServerUnreachable:
        raise
    except (Error, SeederError) as error:
        return Selection(), frozenset(), [_check_failed(DEFAULT_DB_ALIAS, "the manifests and their views", error)]


def _run_database_checks(context: CheckContext, *, compare: bool) -> Iterator[Diagnosis]:
    of_history = _HISTORY_CHECKS if context.is_history_database else ()
    compare = compare and not context.server.refuses_writes  # a read-only server allows no temporary views
    for what, check in (*of_history, *_DATABASE_CHECKS, _DRIFT_CHECK if compare else _MISSING_VIEWS_CHECK):
        try:
            with translate_database_errors(context.alias):
                yield from list(check(context))
        except ServerUnreachable as error:
            if context.is_history_database:
                raise
            yield _unreachable(context.alias, error)
            return
        except (Error, SeederError) as error:
            yield _check_failed(context.alias, what, error)
            if what == _DRIFT_CHECK[0]:
                with suppress(Error):
                    yield from definition_checks.check_missing(context)


def _unreachable(alias: str, error: DatabaseError) -> Diagnosis:
    return Diagnosis(
        problem=Problem.DATABASE_UNREACHABLE,
        database=alias,
        subject=f"DATABASES[{alias!r}]",
        message=str(error),
        fix="See that the server runs and accepts us, or take the database out of SEEDER['DATABASES'].",
    )


def _check_failed(alias: str, what: str, error: Exception) -> Diagnosis:
    return Diagnosis(
        problem=Problem.CHECK_FAILED,
        database=alias,
        subject=what,
        message=" ".join(str(error).split()),
        fix="Fix the other problems, then run the doctor again.",
    )
