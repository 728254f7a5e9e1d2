"""The results of a view's data checks as stored, and the waivers that its next refresh can use."""

from collections.abc import Mapping, Sequence

from django.db.models.functions import Now

from seeder.domain.data_checks.result_text import could_not_run_text, result_text
from seeder.domain.data_checks.results import CheckOutcome, CheckResult, DataCheck
from seeder.domain.data_checks.rules import Unreadable, arguments_of
from seeder.domain.explanation.facts import OpenWaiver, StoredCheck
from seeder.domain.manifests import ViewKey
from seeder.models import DataCheckResult, DataCheckWaiver
from seeder.postgres.contract import OptionalTables
from seeder.services.data_checks import check_access, check_rows, waivers


def stored_results(history_id: int, tables: OptionalTables, *, can_see_errors: bool) -> Sequence[StoredCheck]:
    """Return the results of data checks in a refresh's first history row, in the order of their names."""
    if not tables.is_usable(waivers.RESULTS_TABLE):
        return ()
    rows = DataCheckResult.objects.filter(history_id=history_id)
    return [
        StoredCheck(
            name=row.check_name,
            kind=row.kind,
            severity=row.severity,
            outcome=row.outcome,
            figures=row.figures,
            text=describe_result(row, can_see_errors=can_see_errors),
            sqlstate=row.sqlstate,
        )
        for row in rows.order_by("check_name")
    ]


def describe_result(row: DataCheckResult, *, can_see_errors: bool) -> str:
    """Return figures and bounds, without a full stop. PostgreSQL's message can quote the data."""
    if row.outcome == CheckOutcome.COULD_NOT_RUN or not row.figures:
        message = (row.message or "").partition("\n")[0].rstrip(".")
        return could_not_run_text(row.sqlstate, message if can_see_errors else "")
    check = DataCheck(name=row.check_name, rule=check_rows.read_rule(row.kind, row.arguments))
    if isinstance(check.rule, Unreadable):  # it was stored without arguments
        return figures_text(row.figures)
    return result_text(CheckResult(check=check, outcome=CheckOutcome(row.outcome), figures=row.figures))


def figures_text(figures: Mapping[str, object]) -> str:
    """Return the figures of a check by their names."""
    return ", ".join(f"{name} {figure}" for name, figure in figures.items() if isinstance(figure, int | float | str))


def open_waivers(view: ViewKey, tables: OptionalTables) -> Sequence[OpenWaiver]:
    """Return the unused waivers of a view's enabled checks, the latest of each.

    One of a check that was removed, or changed since, cannot be used.
    """
    if not (tables.is_usable(waivers.WAIVERS_TABLE) and tables.is_usable(check_rows.TABLE)):
        return ()
    checks = check_access.checks_of_view(view).filter(enabled=True)
    arguments = {row.check_name: arguments_of(check_rows.read_rule(row.kind, row.arguments)) for row in checks}
    rows = DataCheckWaiver.objects.filter(
        database_alias=view.database,
        table_name=str(view.name),
        decision=waivers.WaiverDecision.PUBLISH_ONCE,
        used_at=None,
        expires_at__gt=Now(),
    )
    latest = {row.check_name: row for row in rows.order_by("pk")}
    return [
        OpenWaiver(
            check_name=name,
            figures=row.figures,
            sqlstate=row.sqlstate,
            reason=row.reason,
            granted_by=row.granted_by,
            granted_at=row.granted_at,
            expires_at=row.expires_at,
        )
        for name, row in sorted(latest.items())
        if name in arguments and row.arguments == arguments[name]
    ]
