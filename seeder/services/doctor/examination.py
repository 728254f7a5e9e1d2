"""All checks of all databases. One that cannot be made is itself something found, and hides none of the others."""

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
from seeder.services import manifests
from seeder.services.doctor import breakers, functions, queries, queue, server, tables, views
from seeder.services.doctor.patient import Patient

Check = Callable[[Patient], Iterable[Diagnosis]]
Tell = Callable[[int, int], object]

_OF_HISTORY: tuple[tuple[str, Check], ...] = (
    ("the reporting tables", tables.of_tables),
    ("privileges on the reporting tables", tables.of_privileges),
    ("the manifests", views.of_manifests),
    ("the circuit breakers", breakers.of_breakers),
    ("the queue", queue.of_queue),
    ("the settings", queue.of_settings),
)
_OF_EACH: tuple[tuple[str, Check], ...] = (
    ("the server", server.of_server),
    ("what the throttle sees", server.of_throttle),
    ("pg_stat_statements", server.of_statements),
    ("schemas", views.of_schemas),
    ("views", views.of_views),
    ("what views read", views.of_sources),
    ("views that no manifest names", views.of_unlisted),
    ("indexes", views.of_indexes),
    ("functions in views", functions.of_functions),
)
_COMPARING: tuple[str, Check] = ("the queries of manifests", queries.of_queries)
_NOT_COMPARING: tuple[str, Check] = ("missing views", queries.of_missing)


def examine(*, compare: bool = True, tell: Tell = lambda *_: None) -> DoctorReport:
    """Look at the default database and at every one that SEEDER['DATABASES'] maps. `compare`: also queries with their
    views, at a millisecond or two each where that is not known yet; `tell` hears how far that has come.

    Raises `ConfigurationError`, or `DatabaseError` where the default database cannot be asked at all.
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
        patient = Patient(alias=alias, server=there, settings=settings, selection=selection, listed=listed, tell=tell)
        found += _checked(patient, compare=compare)
        databases.append(
            CheckedDatabase(
                alias=alias,
                server_version=f"PostgreSQL {there.version_text}",
                role=there.role,
                view_count=len(patient.views),
            )
        )
    return DoctorReport(databases=tuple(databases), diagnoses=tuple(sorted(found, key=lambda one: one.sort_key)))


def _manifests(settings: Settings) -> tuple[Selection, frozenset[ViewKey], list[Diagnosis]]:
    """Nothing, where they cannot be read: what is wrong with their tables is found out by looking at those."""
    try:
        selection = manifests.select(AllReports(), databases=settings.databases)
        return selection, manifests.listed(databases=settings.databases), []
    except ServerUnreachable:
        raise
    except (Error, SeederError) as error:
        return Selection(), frozenset(), [_failed(DEFAULT_DB_ALIAS, "the manifests and their views", error)]


def _checked(patient: Patient, *, compare: bool) -> Iterator[Diagnosis]:
    of_history = _OF_HISTORY if patient.holds_history else ()
    compare = compare and not patient.server.refuses_writes  # where not even temporary views can be made
    for what, check in (*of_history, *_OF_EACH, _COMPARING if compare else _NOT_COMPARING):
        try:
            with translate_database_errors(patient.alias):
                yield from list(check(patient))
        except ServerUnreachable as error:
            if patient.holds_history:
                raise
            yield _unreachable(patient.alias, error)
            return
        except (Error, SeederError) as error:
            yield _failed(patient.alias, what, error)
            if what == _COMPARING[0]:
                with suppress(Error):
                    yield from queries.of_missing(patient)


def _unreachable(alias: str, error: DatabaseError) -> Diagnosis:
    return Diagnosis(
        problem=Problem.DATABASE_UNREACHABLE,
        database=alias,
        subject=f"DATABASES[{alias!r}]",
        message=str(error),
        fix="See that the server runs and accepts us, or take the database out of SEEDER['DATABASES'].",
    )


def _failed(alias: str, what: str, error: Exception) -> Diagnosis:
    return Diagnosis(
        problem=Problem.CHECK_FAILED,
        database=alias,
        subject=what,
        message=" ".join(str(error).split()),
        fix="See what else was found, mend that and look again.",
    )
