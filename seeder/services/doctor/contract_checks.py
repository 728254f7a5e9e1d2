"""The reporting tables: existence, columns and privileges."""

from collections.abc import Iterator
from functools import partial

from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.postgres import contract, doctor_server_queries
from seeder.postgres.contract import ContractDifference
from seeder.postgres.doctor_server_queries import MissingPrivilege
from seeder.services import contract_check
from seeder.services.doctor.check_context import CheckContext

_INSTALL = "`manage.py install_schema` creates it; without the privileges, let the owner of the database run it."
_READ = "seeder_custom_report_manifest", "seeder_canned_report", "seeder_canned_report_manifest"
_PRIVILEGES = {
    **dict.fromkeys(_READ, ("SELECT",)),
    "seeder_release_snapshot": ("SELECT", "INSERT"),
}
_USUAL = "SELECT", "INSERT", "UPDATE"


def check_tables(context: CheckContext) -> Iterator[Diagnosis]:
    """Report differences between the database and contract.sql."""
    return (_difference(one, context.alias) for one in contract_check.database_differences(context.alias))


def _difference(one: ContractDifference, database: str) -> Diagnosis:
    found = partial(Diagnosis, database=database, subject=f"{contract.SCHEMA}.{one.table}", message=f"{one}.")
    if one.lost_feature is not None:
        message = f"{one}. Without it {one.lost_feature}"
        if one.column is None:
            return found(problem=Problem.OPTIONAL_MISSING, message=message, fix=_INSTALL)
        return found(
            problem=Problem.OPTIONAL_UNUSABLE,
            message=message,
            fix="The owner of the table can alter it:",
            sql=_alter(one),
        )
    if one.column is None:
        return found(problem=Problem.TABLE_MISSING, fix=_INSTALL)
    if one.actual is None:
        return found(
            problem=Problem.COLUMN_MISSING,
            fix="The owner of the table can add it (with a DEFAULT, if a NOT NULL column is added to existing rows):",
            sql=_alter(one),
        )
    return found(problem=Problem.COLUMN_DIFFERS, fix="The owner of the table can alter it:", sql=_alter(one))


def _alter(one: ContractDifference) -> str:
    """The ALTER TABLE statement; no name or type in contract.sql needs quotes."""
    alter = f"ALTER TABLE {contract.SCHEMA}.{one.table}"
    wanted = contract.tables_in_sql()[one.table][one.column or ""]
    if one.actual is None:
        return f"{alter} ADD COLUMN {one.column} {wanted.type}{'' if wanted.nullable else ' NOT NULL'};"
    nullability = "DROP" if wanted.nullable else "SET"
    return f"{alter} ALTER COLUMN {one.column} TYPE {wanted.type}, ALTER COLUMN {one.column} {nullability} NOT NULL;"


def check_privileges(context: CheckContext) -> Iterator[Diagnosis]:
    """Report privileges on existing tables that the role lacks."""
    wanted = {table: _PRIVILEGES.get(table, _USUAL) for table in contract.tables_in_sql()}
    together: dict[tuple[str, str, bool], list[MissingPrivilege]] = {}
    for one in doctor_server_queries.missing_privileges(context.alias, wanted):
        together.setdefault((one.table, one.quoted_name, one.is_sequence), []).append(one)
    for (table, sql, is_sequence), lacking in together.items():
        without = contract.optional_tables().get(table)
        privileges = ", ".join(sorted((one.privilege for one in lacking), key=(*_USUAL, "USAGE").index))
        consequence = "" if without is None else f" Without it {without}"
        yield Diagnosis(
            problem=Problem.TABLE_FORBIDDEN if without is None else Problem.OPTIONAL_UNUSABLE,
            database=context.alias,
            subject=f"{contract.SCHEMA}.{table}",
            message=f"Our role {context.server.role} has no {privileges} privilege on {sql}.{consequence}",
            fix="Its owner can grant it:",
            sql=f"GRANT {privileges} ON {'SEQUENCE ' if is_sequence else ''}{sql} TO {context.server.role};",
        )
