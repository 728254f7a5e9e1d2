"""Reads the data checks of views. Their table is optional."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from seeder.domain.data_checks.results import CheckSeverity, DataCheck
from seeder.domain.data_checks.rules import BadArguments, Rule, Unreadable, parse_rule
from seeder.domain.manifests import ViewKey, ViewSpec
from seeder.domain.view_names import ViewName
from seeder.models import DataCheck as CheckRow
from seeder.postgres.contract import OptionalTables

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
            found[key].append(_check(row))
    return {key: tuple(checks) for key, checks in found.items()}


def _check(row: CheckRow) -> DataCheck:
    return DataCheck(
        name=row.check_name,
        rule=_rule(row.kind, row.arguments),
        severity=CheckSeverity(row.severity),
        tolerated_rows=row.tolerated_rows,
        tolerated_share=row.tolerated_share,
    )


def _rule(kind: str, arguments: object) -> Rule:
    try:
        return parse_rule(kind, arguments)
    except BadArguments as error:
        return Unreadable(kind=kind, problem=str(error))
