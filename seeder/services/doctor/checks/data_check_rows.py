"""Data checks that never run, or that hold their view because they cannot be read."""

from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.data_checks.definitions import unused_tolerance
from seeder.domain.data_checks.rules import BadArguments, parse_rule
from seeder.models import DataCheck
from seeder.postgres.contract import OptionalTables
from seeder.services.data_checks.check_rows import TABLE, definition_of
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, warning_problem
from seeder.texts import Text

UNUSED = warning_problem(
    name="data_check_unused",
    area="manifests",
    meaning=Text("No enabled manifest has the view of a data check, or spells it that way, so the check never runs."),
    fix=Text("Correct `table_name` and `database_alias` of the check. The statement disables it."),
)
UNREADABLE = warning_problem(
    name="data_check_unreadable",
    area="manifests",
    meaning=Text(
        "The kind or the arguments of a data check are invalid. It cannot run, so with severity `error` it holds"
        " its view."
    ),
    fix=Text("Correct the check. The statement disables it."),
)

TOLERANCE_UNUSED = warning_problem(
    name="data_check_tolerance_unused",
    area="manifests",
    meaning=Text("A data check has a tolerance without effect, because its kind counts no bad rows."),
    fix=Text("Run the statement, which removes the tolerance. Give bounds in the arguments of the check instead."),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    if not database.is_default or not OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable(TABLE):
        return
    names = {
        (spec.key.database, name)
        for spec in database.selection.views
        for name in (str(spec.key.name), *spec.table_names)
    }
    for row in DataCheck.objects.filter(enabled=True).order_by("pk"):
        subject = Text("{check} of {view}", check=row.check_name, view=row.table_name)
        sql = f"UPDATE reporting.seeder_check SET enabled = false WHERE id = {row.pk};"  # noqa: S608  # shown, not run
        if (row.database_alias, row.table_name) not in names:
            message = Text(
                "No enabled manifest names {view} in {database}.", view=row.table_name, database=row.database_alias
            )
            yield UNUSED.found(subject, message=message, sql=sql)
            continue
        try:
            parse_rule(row.kind, row.arguments)
        except BadArguments as error:
            yield UNREADABLE.found(subject, message=Text("{problem}.", problem=str(error)), sql=sql)
            continue
        if unused := unused_tolerance(definition_of(row)):
            message = Text("{kind} counts no bad rows, so {column} has no effect.", kind=row.kind, column=unused)
            sql = "UPDATE reporting.seeder_check SET tolerated_rows = 0, tolerated_share = 0"
            yield TOLERANCE_UNUSED.found(subject, message=message, sql=f"{sql} WHERE id = {row.pk};")
