"""The data checks of one run: whether a view may be published, and the results that are kept."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.db import DEFAULT_DB_ALIAS

from seeder.conf import Settings
from seeder.domain.data_checks.check_order import CheckOrder
from seeder.domain.data_checks.results import CheckOutcome, CheckResult, DataCheck, are_held
from seeder.domain.data_checks.rules import arguments_of
from seeder.domain.data_checks.waiver_rules import waive
from seeder.domain.outcomes import RefreshResult
from seeder.domain.plan import PlannedView
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.data_checks import waivers
from seeder.services.data_checks.baselines import Baselines
from seeder.services.data_checks.check_run import CheckLimits, CheckRun
from seeder.services.stop_signal import StopSignal

RESULTS_TABLE = "seeder_check_result"


class ViewHeld(Exception):
    """The new rows of a view failed a data check, so its transaction must be rolled back."""

    def __init__(self, checks: tuple[CheckResult, ...]) -> None:
        super().__init__()
        self.checks = checks


@dataclass(frozen=True, kw_only=True)
class KnownResults:
    """Results of checks on the query of a view, and its number of rows."""

    results: Mapping[DataCheck, CheckResult] = field(default_factory=dict)
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class RunDataChecks:
    """Runs and records the data checks of one run's views."""

    run_id: str
    settings: Settings
    tables: OptionalTables
    stop: StopSignal

    def check_query(self, view: PlannedView, order: CheckOrder) -> KnownResults:
        """Check the result of a view's query at the snapshot of the transaction, before the view is refreshed.

        Errors are no results, because they can be of the query: then the check runs after the refresh.

        Raises `ViewHeld` if no check remains and the rows must not be published.
        """
        run = self._run(view, [check for check in view.checks if check.name not in order.inside])
        results = run.results(on_query=True)
        known = {one.check: one for one in results if one.outcome is not CheckOutcome.COULD_NOT_RUN}
        if len(known) == len(view.checks):
            known = {one.check: one for one in self._judge(view, known.values())}
        return KnownResults(results=known, rows=run.row_count)

    def check(
        self, view: PlannedView, result: RefreshResult, known: KnownResults | None = None
    ) -> tuple[RefreshResult, int | None]:
        """Check the new rows of a view, in the transaction that wrote them. Return the number of rows if it is known.

        Raises `ViewHeld` if they must not be published, and database errors that say nothing about a check.
        """
        if not view.checks:
            return result, None
        known = known or KnownResults()
        results, rows = dict(known.results), known.rows
        if remaining := [check for check in view.checks if check not in results]:
            run = self._run(view, remaining)
            results |= {one.check: one for one in run.results(row_count=rows)}  # readers wait for each scan
            rows = run.row_count
        return replace(result, checks=self._judge(view, [results[check] for check in view.checks])), rows

    def _run(self, view: PlannedView, checks: Iterable[DataCheck]) -> CheckRun:
        return CheckRun(
            view.key,
            tuple(checks),
            CheckLimits(timeout_ms=self.settings.check_timeout_ms, samples=self.settings.check_samples),
            baselines=Baselines(spec=view.spec, tables=self.tables, settings=self.settings),
            is_stopped=lambda: self.stop.requested,
        )

    def _judge(self, view: PlannedView, results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
        """Return the results, waived ones as such. Raises `ViewHeld` if they hold the view."""
        checks = tuple(results)
        return self._waived(view, checks) if are_held(checks) else checks

    def _waived(self, view: PlannedView, checks: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
        """Return the results if waivers cover all that hold the view. Use up these waivers.

        Raises `ViewHeld` otherwise. For a view in another database, the waivers stay used if its commit fails.
        """
        waived = checks
        if self.tables.is_usable(waivers.WAIVERS_TABLE):
            waived = waive(checks, waivers.open_waivers(view.key))
        used = [one.waiver.id for one in waived if one.waiver is not None]
        if are_held(waived) or not waivers.use(used, run_id=self.run_id):
            raise ViewHeld(checks)
        return waived

    def save_results(self, view: PlannedView, history_id: int, result: RefreshResult) -> None:
        """Save the results of a refresh, in the transaction that closes its history rows."""
        if not result.checks or not self.tables.is_usable(RESULTS_TABLE):
            return
        parameters = {
            "history_id": history_id,
            "run": self.run_id,
            "database": view.key.database,
            "view": str(view.key.name),
            "results": json.dumps([_row(check) for check in result.checks]),
        }
        sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["save_check_results"], parameters)


def _row(result: CheckResult) -> Mapping[str, object]:
    return {
        "check_name": result.check.name,
        "kind": result.check.kind,
        "arguments": arguments_of(result.check.rule),
        "severity": result.check.severity,
        "outcome": result.outcome,
        "figures": result.figures,
        "samples": list(result.samples),
        "sqlstate": result.sqlstate,
        "message": result.message,
    }
