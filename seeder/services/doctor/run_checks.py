"""Runs the checks of all installed apps on all databases."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, Error
from django.utils.module_loading import import_string

from seeder import conf
from seeder.domain.manifests import Selection, ViewKey
from seeder.domain.refresh_requests import AllReports
from seeder.errors import DatabaseError, SeederError, ServerUnreachable
from seeder.postgres import doctor_queries
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_selection
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, Level, error_problem, warning_problem
from seeder.texts import Text

DATABASE_UNREACHABLE = error_problem(
    name="database_unreachable",
    area="the check itself",
    meaning=Text(
        "A database of `SEEDER['DATABASES']` does not answer. Its views fail, those of other databases do not."
    ),
    fix=Text("Check that the server runs and accepts seeder's login, or remove the database from the map."),
)
CHECK_FAILED = warning_problem(
    name="check_failed",
    area="the check itself",
    meaning=Text("A check could not run, so its result is unknown."),
    fix=Text("Fix the other problems first, such as a missing privilege, then run the doctor again."),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorReport:
    """Checked databases, and found problems by level and check."""

    databases: tuple[CheckedDatabase, ...]
    diagnoses: tuple[Diagnosis, ...]

    def count(self, level: Level) -> int:
        return sum(diagnosis.problem.level is level for diagnosis in self.diagnoses)


def run_checks(
    *, compare_queries: bool = True, on_progress: Callable[[int, int], object] = lambda *_: None
) -> DoctorReport:
    """Check the default database and every database in SEEDER['DATABASES'].

    `compare_queries` also compares queries with their views, which takes one or two milliseconds for each uncached
    query. `on_progress` is called with the number of compared queries and the total.

    Raises `ConfigurationError`, or `DatabaseError` if the default database cannot be queried.
    """
    settings = conf.load()
    selection, listed_views, failed = _read_manifests(settings.databases)
    databases, found = [], [(DEFAULT_DB_ALIAS, diagnosis) for diagnosis in failed]
    for alias in (DEFAULT_DB_ALIAS, *sorted({*settings.databases.values()} - {DEFAULT_DB_ALIAS})):
        try:
            with translate_database_errors(alias):
                server = doctor_queries.server_facts(alias)
            database = CheckedDatabase(
                alias=alias,
                server=server,
                settings=settings,
                selection=selection,
                listed_views=frozenset(key.name for key in listed_views if key.database == alias),
                # A read-only server cannot create temporary views.
                compares_queries=compare_queries and not (server.is_standby or server.is_read_only),
                on_progress=on_progress,
            )
            databases.append(database)
            found.extend((alias, diagnosis) for diagnosis in _check_database(database))
        except DatabaseError as error:
            if alias == DEFAULT_DB_ALIAS:
                raise
            found.append((alias, DATABASE_UNREACHABLE.found(f"DATABASES[{alias!r}]", message=str(error))))
    diagnoses = [replace(diagnosis, database=alias) for alias, diagnosis in found]
    diagnoses.sort(key=lambda diagnosis: -diagnosis.problem.level)
    return DoctorReport(databases=tuple(databases), diagnoses=tuple(diagnoses))


def _read_manifests(databases: Mapping[int, str]) -> tuple[Selection, frozenset[ViewKey], list[Diagnosis]]:
    """Return the enabled manifests and all listed views, if readable.

    The check of the tables then reports the cause.
    """
    try:
        selection = manifest_selection.select(AllReports(), databases=databases)
        return selection, manifest_selection.all_listed_views(databases=databases), []
    except ServerUnreachable:
        raise
    except (Error, SeederError) as error:
        return Selection(), frozenset(), [_check_failed(Text("the manifests and their views"), error)]


def _check_database(database: CheckedDatabase) -> Iterator[Diagnosis]:
    """Run the functions in `doctor_checks` of every installed AppConfig.

    A check that fails is reported, and the others still run. Raises `ServerUnreachable`.
    """
    for path in (path for app in apps.get_app_configs() for path in getattr(app, "doctor_checks", ())):
        try:
            with translate_database_errors(database.alias):
                yield from import_string(path)(database)
        except ServerUnreachable:
            raise
        except (Error, SeederError) as error:
            yield _check_failed(path.split(".")[-2].replace("_", " "), error)


def _check_failed(check: str, error: Exception) -> Diagnosis:
    return CHECK_FAILED.found(check, message=" ".join(str(error).split()))
