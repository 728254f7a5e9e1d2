"""The reporting tables: existence, columns and privileges."""

from collections import defaultdict
from collections.abc import Iterator

from seeder.postgres import contract
from seeder.postgres.contract import ContractDifference
from seeder.services import contract_installation
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, info_problem, warning_problem
from seeder.texts import Text

TABLE_MISSING = error_problem(
    name="table_missing",
    area="reporting tables",
    meaning=Text("A table of the contract is missing: no run can be recorded, or nothing is requested."),
    fix=Text("Run `manage.py install_schema`, as the owner of the database if seeder's role lacks the privileges."),
)
COLUMN_MISSING = error_problem(
    name="column_missing",
    area="reporting tables",
    meaning=Text("A column of the contract is missing."),
    fix=Text("The owner of the table can add it. A NOT NULL column needs a DEFAULT if the table has rows."),
)
COLUMN_DIFFERS = warning_problem(
    name="column_differs",
    area="reporting tables",
    meaning=Text("A column has another type or nullability than in the contract."),
    fix=Text("The owner of the table can alter it."),
)
OPTIONAL_MISSING = info_problem(
    name="optional_missing",
    area="reporting tables",
    meaning=Text("An optional table is missing. The message names the missing feature."),
    fix=Text("If you need the feature, run `manage.py install_schema`."),
)
OPTIONAL_UNUSABLE = warning_problem(
    name="optional_unusable",
    area="reporting tables",
    meaning=Text("An optional table differs from the contract, or seeder's role may not use it, so it is not used."),
    fix=Text("The owner of the table can alter it, or grant the privilege."),
)
TABLE_FORBIDDEN = error_problem(
    name="table_forbidden",
    area="reporting tables",
    meaning=Text("Seeder's role lacks a privilege on a table of the contract, or on the sequence of its ids."),
    fix=Text("The owner of the table can grant it."),
)

_READ_TABLES = (
    "seeder_custom_report_manifest",
    "seeder_canned_report",
    "seeder_canned_report_manifest",
    "seeder_check",
)
_PRIVILEGES = {**dict.fromkeys(_READ_TABLES, ("SELECT",)), "seeder_release_snapshot": ("SELECT", "INSERT")}
_OTHER_PRIVILEGES = "SELECT", "INSERT", "UPDATE"


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    if database.is_default:
        yield from map(_diagnose_difference, contract_installation.database_differences(database.alias))
        yield from _check_privileges(database)


def _diagnose_difference(difference: ContractDifference) -> Diagnosis:
    is_optional = difference.lost_feature is not None
    if difference.column is None:
        problem = OPTIONAL_MISSING if is_optional else TABLE_MISSING
    elif is_optional:
        problem = OPTIONAL_UNUSABLE
    else:
        problem = COLUMN_MISSING if difference.actual is None else COLUMN_DIFFERS
    return problem.found(
        f"{contract.SCHEMA}.{difference.table}",
        message=Text.joined([Text("{difference}.", difference=str(difference)), *_lost_feature(difference.table)], " "),
        sql=_alter_sql(difference, difference.column) if difference.column else "",
    )


def _alter_sql(difference: ContractDifference, column: str) -> str:
    """Return the statement. No name in contract.sql needs quotes."""
    alter = f"ALTER TABLE {contract.SCHEMA}.{difference.table}"
    expected = contract.tables_in_sql()[difference.table][column]
    if difference.actual is None:
        return f"{alter} ADD COLUMN {column} {expected.type}{'' if expected.nullable else ' NOT NULL'};"
    nullability = "DROP" if expected.nullable else "SET"
    return f"{alter} ALTER COLUMN {column} TYPE {expected.type}, ALTER COLUMN {column} {nullability} NOT NULL;"


def _check_privileges(database: CheckedDatabase) -> Iterator[Diagnosis]:
    required = {table: _PRIVILEGES.get(table, _OTHER_PRIVILEGES) for table in contract.tables_in_sql()}
    lacking: dict[tuple[str, str], list[str]] = defaultdict(list)
    tables = {"schema": contract.SCHEMA, "tables": [*required]}
    for table, privilege, _ in database.read("missing_privileges", **tables, privileges=[*_OTHER_PRIVILEGES]):
        if privilege in required[table]:
            lacking[table, f"{contract.SCHEMA}.{table}"].append(privilege)
    for table, sequence in database.read("unusable_sequences", **tables):
        if "INSERT" in required[table]:
            lacking[table, f"SEQUENCE {sequence}"].append("USAGE")
    role = database.server.role
    for (table, quoted_object), names in lacking.items():
        privileges = ", ".join(names)
        problem = OPTIONAL_UNUSABLE if table in contract.optional_tables() else TABLE_FORBIDDEN
        message = Text(
            "Seeder's role {role} has no {privileges} privilege on {object}.",
            role=role,
            privileges=privileges,
            object=quoted_object,
        )
        yield problem.found(
            f"{contract.SCHEMA}.{table}",
            message=Text.joined([message, *_lost_feature(table)], " "),
            sql=f"GRANT {privileges} ON {quoted_object} TO {role};",
        )


def _lost_feature(table: str) -> Iterator[Text]:
    if lost_feature := contract.optional_tables().get(table):
        yield lost_feature
