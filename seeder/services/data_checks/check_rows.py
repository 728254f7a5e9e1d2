"""Data checks as rows, rules and definitions. Their table is optional."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from seeder.data_check_errors import CheckTableUnusable
from seeder.domain.data_checks.definitions import CheckDefinition
from seeder.domain.data_checks.results import CheckSeverity, DataCheck
from seeder.domain.data_checks.rules import BadArguments, Rule, Unreadable, parse_rule
from seeder.domain.manifest_edits import version_of
from seeder.domain.manifests import ViewKey, ViewSpec
from seeder.domain.view_names import ViewName, normalize_name
from seeder.models import DataCheck as CheckRow
from seeder.postgres.contract import OptionalTables, optional_tables

TABLE = "seeder_check"


def load_checks(specs: Iterable[ViewSpec], tables: OptionalTables) -> Mapping[ViewKey, tuple[DataCheck, ...]]:
    """Return the enabled data checks of each view that has any. Takes one round trip, or none without the table.

    A check whose rule cannot be read is returned too. It cannot run, so it holds its view if its severity is error.
    """
    keys = {spec.key for spec in specs}
    names = {name for spec in specs for name in (str(spec.key.name), *spec.table_names)}
    if not names or not tables.is_usable(TABLE):
        return {}
    found: dict[ViewKey, list[DataCheck]] = defaultdict(list)
    for row in CheckRow.objects.filter(enabled=True, table_name__in=names).order_by("pk"):
        name = ViewName.parse_or_none(row.table_name)
        if name is not None and (key := ViewKey(database=row.database_alias, name=name)) in keys:
            found[key].append(check_of(row))
    return {key: tuple(checks) for key, checks in found.items()}


def require_table() -> None:
    """Raise `CheckTableUnusable` unless this role can read the table of data checks."""
    tables = OptionalTables.read(DEFAULT_DB_ALIAS)
    if not tables.is_usable(TABLE):
        raise CheckTableUnusable(reason=tables.unusable[TABLE], lost_feature=optional_tables()[TABLE])


def check_of(row: CheckRow) -> DataCheck:
    """Return the check of a row, even of one whose rule cannot be read."""
    return DataCheck(
        name=row.check_name,
        rule=read_rule(row.kind, row.arguments),
        severity=CheckSeverity(row.severity),
        tolerated_rows=row.tolerated_rows,
        tolerated_share=row.tolerated_share,
    )


def definition_of(row: CheckRow) -> CheckDefinition:
    """Return the definition of a row."""
    return CheckDefinition(
        view=normalize_name(row.table_name),
        name=row.check_name,
        kind=row.kind,
        arguments=row.arguments,
        severity=row.severity,
        tolerated_rows=row.tolerated_rows,
        tolerated_share=row.tolerated_share,
        enabled=row.enabled,
    )


def columns_of(one: CheckDefinition) -> dict[str, Any]:
    """Return the columns of a definition's row."""
    return {
        "table_name": one.view,
        "check_name": one.name,
        "kind": one.kind,
        "arguments": one.arguments,
        "severity": one.severity,
        "tolerated_rows": one.tolerated_rows,
        "tolerated_share": one.tolerated_share,
        "enabled": one.enabled,
    }


def version_of_row(row: CheckRow) -> str:
    """Return a hash of a row's definition and file, which changes with each of them."""
    return version_of([{**columns_of(definition_of(row)), "source": row.source}])


def read_rule(kind: str, arguments: object) -> Rule:
    """Return a stored rule, even one that cannot be read."""
    try:
        return parse_rule(kind, arguments)
    except BadArguments as error:
        return Unreadable(kind=kind, problem=str(error))
