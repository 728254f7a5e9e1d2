"""Waivers of failed data checks, and accepted baselines. The only writer of their optional table."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from seeder.data_check_errors import CheckTableUnusable, HeldAgain, NoBaseline, NotHeld, ReasonMissing
from seeder.domain import lock_keys
from seeder.domain.data_checks.results import CheckOutcome, CheckSeverity, Waiver
from seeder.domain.data_checks.rules import CheckKind
from seeder.domain.manifests import ViewKey
from seeder.domain.view_names import ViewName
from seeder.models import DataCheckResult, DataCheckWaiver
from seeder.postgres import advisory_locks
from seeder.postgres.contract import OptionalTables, optional_tables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic
from seeder.services.structured_log import WARNING, log_event
from seeder.texts import Text

WAIVERS_TABLE, RESULTS_TABLE = "seeder_check_waiver", "seeder_check_result"
PERMISSION = "seeder.waive_checks"
DEFAULT_HOURS, MAX_HOURS = 24, 30 * 24  # after which an unused waiver expires


class WaiverDecision(StrEnum):
    """What a user decides on a held view, as in `seeder_check_waiver.decision`."""

    PUBLISH_ONCE = "publish_once"
    ACCEPT = "accept"  # the rows become the baseline


def open_waivers(view: ViewKey) -> Sequence[Waiver]:
    """Return the unused waivers of a view, the latest first."""
    return [
        Waiver(
            id=row.pk,
            check_name=row.check_name,
            arguments=row.arguments,
            accepted=row.figures,
            sqlstate=row.sqlstate,
            reason=row.reason,
            granted_by=row.granted_by,
        )
        for row in _open_waivers(view.database, str(view.name)).order_by("-pk")
    ]


def _open_waivers(database: str, view: str) -> QuerySet[DataCheckWaiver]:
    rows = DataCheckWaiver.objects.filter(database_alias=database, table_name=view, used_at=None)
    return rows.filter(decision=WaiverDecision.PUBLISH_ONCE, expires_at__gt=Now())


def use(waiver_ids: Collection[int], *, run_id: str) -> bool:
    """Use up waivers, in the caller's transaction. Return whether all were still unused."""
    rows = DataCheckWaiver.objects.filter(pk__in=waiver_ids, used_at=None)
    return rows.update(used_at=Now(), used_run_id=run_id) == len(waiver_ids)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldChecks:
    """The data checks that hold a view."""

    table_name: str
    check_names: Collection[str] = ()  # none: all that hold the view
    database: str = DEFAULT_DB_ALIAS
    run_id: str | None = None  # the run whose figures were seen; None: the last one


@translate_database_errors(DEFAULT_DB_ALIAS)
def waive_checks(
    held: HeldChecks, *, reason: str, granted_by: str, hours: int = DEFAULT_HOURS
) -> Sequence[DataCheckWaiver]:
    """Permit the next refresh of a held view to be published, unless its data are worse than those that were held.

    A waiver replaces an unused one of the same check, so a repeated call permits one publication.

    The caller has required `PERMISSION`.

    Raises `NotHeld`, `HeldAgain`, `ReasonMissing`, `CheckTableUnusable`, `BadName` or `DatabaseError`.
    """
    _require_tables()
    with atomic():
        advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.WAIVE_CHECKS)
        results = _held_results(held)
        _withdraw_unused(results)
        rows = _decide(results, decision=WaiverDecision.PUBLISH_ONCE, reason=reason, granted_by=granted_by, hours=hours)
    for row in rows:
        log_event(WARNING, "check_waived", **_log_fields(row))
    return rows


@translate_database_errors(DEFAULT_DB_ALIAS)
def accept_checks(held: HeldChecks, *, reason: str, granted_by: str) -> Sequence[DataCheckWaiver]:
    """Make row counts and columns of a held view the baselines with which later refreshes are compared.

    The caller has required `PERMISSION`.

    Raises `NoBaseline` for a check that compares with no accepted values, and the errors of `waive_checks`.
    """
    _require_tables()
    with atomic():
        results = _held_results(held)
        for result in results:
            if not has_baseline(result):
                raise NoBaseline(check=result.check_name)
        rows = _decide(results, decision=WaiverDecision.ACCEPT, reason=reason, granted_by=granted_by, hours=None)
    for row in rows:
        log_event(WARNING, "check_accepted", **_log_fields(row))
    return rows


def has_baseline(result: DataCheckResult) -> bool:
    """Return whether a failure compares with accepted values, and would pass if its own replaced them."""
    if result.kind == CheckKind.ROW_COUNT:
        return result.figures.get("last_accepted") is not None and _is_within_absolute_bounds(result)
    return result.kind == CheckKind.DRIFT and "columns" in result.figures


def _is_within_absolute_bounds(result: DataCheckResult) -> bool:
    rows, minimum, maximum = result.figures["rows"], result.arguments.get("min"), result.arguments.get("max")
    return (minimum is None or rows >= minimum) and (maximum is None or rows <= maximum)


def accepted_drift(view: ViewKey, check_name: str) -> DataCheckWaiver | None:
    """Return the failure of a drift check that was accepted last."""
    rows = DataCheckWaiver.objects.filter(
        database_alias=view.database, table_name=str(view.name), check_name=check_name, decision=WaiverDecision.ACCEPT
    )
    return rows.filter(figures__has_key="columns").order_by("-pk").first()


def _held_results(held: HeldChecks) -> Sequence[DataCheckResult]:
    """Return the results that held the view in its last refresh with checks."""
    view, names = str(ViewName.parse(held.table_name)), set(held.check_names)
    of_view = DataCheckResult.objects.filter(table_name=view, database_alias=held.database)
    last = of_view.order_by("-history_id").first()
    if last is None:
        raise NotHeld(view=view, check="", problem=Text("its last refresh had no data checks"))
    unmet = of_view.filter(
        history_id=last.history_id,
        severity=CheckSeverity.ERROR,
        outcome__in=(CheckOutcome.FAILED, CheckOutcome.COULD_NOT_RUN),
    )
    found = {row.check_name: row for row in unmet.order_by("check_name")}
    if not found:
        problem = Text("its last refresh (run {run_id}) was published", run_id=last.run_id)
        raise NotHeld(view=view, check="", problem=problem)
    if missing := names - found.keys():
        problem = Text("its last refresh is run {run_id}", run_id=last.run_id)
        raise NotHeld(view=view, check=Text(" by {check}", check=min(missing)), problem=problem)
    if held.run_id is not None and held.run_id != last.run_id:
        raise HeldAgain(view=view, run=held.run_id, last_run=last.run_id)
    return [row for name, row in found.items() if not names or name in names]


def undecided_checks(table_name: str, database: str = DEFAULT_DB_ALIAS) -> Sequence[str]:
    """Return the names of the checks that hold a view, and that no decision since its last refresh is about."""
    try:
        results = _held_results(HeldChecks(table_name=table_name, database=database))
    except NotHeld:
        return ()
    since, names = results[0].history.start_time, [result.check_name for result in results]
    rows = DataCheckWaiver.objects.filter(
        Q(decision=WaiverDecision.ACCEPT) | Q(used_at=None, expires_at__gt=Now()),
        database_alias=database,
        table_name=results[0].table_name,
        check_name__in=names,
        granted_at__gte=since,
    )
    decided = [(row.check_name, row.figures) for row in rows]
    return [result.check_name for result in results if (result.check_name, result.figures) not in decided]


def still_held_text(view: str, checks: Iterable[str]) -> Text:
    """Return that checks without a decision still hold a view."""
    return Text(
        "{view} is still held by {checks}. Correct the data, or decide on each of these checks, too.",
        view=view,
        checks=Text.joined(checks),
    )


def _decide(
    results: Sequence[DataCheckResult], *, decision: WaiverDecision, reason: str, granted_by: str, hours: int | None
) -> Sequence[DataCheckWaiver]:
    if not reason.strip():
        raise ReasonMissing
    ids = [
        DataCheckWaiver.objects.create(
            database_alias=result.database_alias,
            table_name=result.table_name,
            check_name=result.check_name,
            decision=decision,
            arguments=result.arguments,
            figures=result.figures,
            sqlstate=result.sqlstate,
            reason=reason.strip(),
            granted_by=granted_by,
            expires_at=None if hours is None else Now() + timedelta(hours=hours),
        ).pk
        for result in results
    ]
    return list(DataCheckWaiver.objects.filter(pk__in=ids).order_by("pk"))


def _withdraw_unused(results: Sequence[DataCheckResult]) -> None:
    """End the unused waivers of these checks."""
    for result in results:
        rows = _open_waivers(result.database_alias, result.table_name).filter(check_name=result.check_name)
        rows.update(expires_at=Now())


def _log_fields(row: DataCheckWaiver) -> Mapping[str, str]:
    return {
        "view": row.table_name,
        "database": row.database_alias,
        "check": row.check_name,
        "user": row.granted_by,
    }


def _require_tables() -> None:
    """Raise `CheckTableUnusable` unless this role can write waivers and read results."""
    for table, read_only in ((WAIVERS_TABLE, False), (RESULTS_TABLE, True)):
        unusable = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=read_only).unusable
        if table in unusable:
            raise CheckTableUnusable(reason=unusable[table], lost_feature=optional_tables()[table])
