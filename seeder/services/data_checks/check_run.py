"""Runs the data checks of one view inside the transaction that creates or refreshes it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import Error

from seeder.domain.data_checks import results as verdicts
from seeder.domain.data_checks.drift import NewRows, judge_drift
from seeder.domain.data_checks.results import CheckResult, DataCheck
from seeder.domain.data_checks.rules import Drift, Freshness, Query, RowCount, RowRule, Unique, Unreadable
from seeder.domain.manifests import ViewKey
from seeder.domain.snapshots.snapshot_contents import ViewColumn
from seeder.postgres import catalog, data_check_queries
from seeder.postgres.data_check_queries import ReadOnlyPart
from seeder.postgres.sqlstates import (
    READ_ONLY,
    error_report,
    has_lost_session,
    is_server_fault,
    is_transient,
    sqlstate,
)
from seeder.services.data_checks.baselines import Baselines
from seeder.services.storable_text import is_storable


class _ScanFailed(Exception):
    """The common scan of the query of a view failed, and is not repeated for each check."""


class _NotOneExpression(Exception):
    """The text of a condition changed the statement around it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckLimits:
    """Limits of the checks of a view."""

    timeout_ms: int  # of each statement
    samples: int  # bad rows that are kept of each check


class CheckRun:
    """The checks of one view. One scan answers all that need no statement of their own."""

    def __init__(
        self,
        key: ViewKey,
        checks: Sequence[DataCheck],
        limits: CheckLimits,
        *,
        baselines: Baselines,
        is_stopped: Callable[[], bool],
    ) -> None:
        """After `is_stopped` returns true, a cancelled statement is not a result of its check."""
        self._database, self._view = key.database, key.name
        self._checks, self._limits = checks, limits
        self._baselines, self._is_stopped = baselines, is_stopped
        self._source = data_check_queries.view_source(self._view)
        self._columns: Sequence[ViewColumn] = ()  # for drift checks
        self._row_count: int | None = None
        self._scans_alone = True  # checks whose common scan failed
        self._scanned: dict[str, Any] = {}  # figures by the names of checks

    def results(self, *, on_query: bool = False, row_count: int | None = None) -> tuple[CheckResult, ...]:
        """Run all checks. Return their results in their order. The transaction is as before.

        A number of rows that is known is not counted again.

        With `on_query`, they read the result of the view's query instead of the view. If their common scan fails, they
        could not run.

        Raises database errors that say nothing about a check: a lost session, a fault of the server, an error that a
        retry can remedy, or any after a stop.
        """
        self._row_count = row_count
        if on_query:
            self._scans_alone = False  # each scan executes the query
            self._source = data_check_queries.query_source(self._database, self._view)
        if any(isinstance(check.rule, Drift) for check in self._checks):
            self._columns = catalog.view_columns(self._database, self._view)
        with ReadOnlyPart(self._database, timeout_ms=self._limits.timeout_ms) as part:
            scanned = [check for check in self._checks if _is_scanned(check)]
            if scanned or self._row_count is None:
                self._scan(part, scanned)
            return tuple(self._result(part, check) for check in self._checks)

    @property
    def row_count(self) -> int | None:
        """The number of rows of the view. None if it could not be counted."""
        return self._row_count

    def _scan(self, part: ReadOnlyPart, checks: Sequence[DataCheck]) -> None:
        """Compute the figures of checks in one scan. One bad expression spoils it: then nothing is known."""
        columns = [self._scan_column(check) for check in checks]
        try:
            found = part.query(data_check_queries.scan_statement(self._source, columns))
        except Error as error:
            self._raise_unless_of_check(error)
            return
        if len(found) == 1 and len(found[0]) == len(columns) + 1:
            self._row_count, *figures = found[0]
            self._scanned |= {check.name: figure for check, figure in zip(checks, figures, strict=True)}

    def _scan_column(self, check: DataCheck) -> data_check_queries.Expression:
        if isinstance(check.rule, Drift):
            return data_check_queries.count_values(column.name for column in self._columns)
        return data_check_queries.scan_column(check.rule)  # type: ignore[arg-type]  # only called for scanned ones

    def _result(self, part: ReadOnlyPart, check: DataCheck) -> CheckResult:
        try:
            return self._judge(part, check)
        except _NotOneExpression:
            return verdicts.could_not_run(check, message="its condition is not one expression")
        except _ScanFailed:
            return verdicts.could_not_run(check, message="its query failed")
        except Error as error:
            self._raise_unless_of_check(error)
            return verdicts.could_not_run(
                check, message=_storable(error_report(error).message), sqlstate=sqlstate(error)
            )

    def _judge(self, part: ReadOnlyPart, check: DataCheck) -> CheckResult:
        match rule := check.rule:
            case Unreadable(problem=problem):
                return verdicts.could_not_run(check, message=problem)
            case RowCount():
                last = self._baselines.last_accepted_rows(check.name) if rule.is_relative else None
                return verdicts.judge_row_count(check, rule, rows=self._rows(part), last_accepted=last)
            case Freshness():
                latest, age = data_check_queries.age_hours(self._figure(part, check))
                return verdicts.judge_freshness(check, latest=latest, age_hours=age, max_age_hours=rule.max_age_hours)
            case Drift():
                counted = list(zip(self._columns, self._figure(part, check), strict=True))
                base = self._baselines.drift_base(check.name, rule)
                rules = self._baselines.drift_rules
                new_rows = NewRows(columns=counted, count=self._rows(part))
                return judge_drift(check, rule, base, new_rows, rules=rules)
            case Query():
                bad_rows, samples = self._query_rows(part, rule)
            case Unique():
                bad_rows, samples = self._repeated_rows(part, rule)
            case _:
                bad_rows, samples = self._figure(part, check), ()
                if bad_rows > check.tolerated(self._rows(part)) and self._limits.samples:
                    samples = self._sample_rows(part, rule)
        kept = tuple(_storable(one) for one in samples)
        return verdicts.judge_bad_rows(check, bad_rows=bad_rows, rows=self._rows(part), samples=kept)

    def _query_rows(self, part: ReadOnlyPart, rule: Query) -> tuple[int, Sequence[str]]:
        statement = data_check_queries.query_statement(rule.query, samples=self._limits.samples)
        [(bad_rows, samples)] = part.query(statement)
        return bad_rows, samples

    def _repeated_rows(self, part: ReadOnlyPart, rule: Unique) -> tuple[int, Sequence[str]]:
        if any(names <= set(rule.columns) for names in data_check_queries.unique_columns(self._database, self._view)):
            return 0, ()
        samples = self._limits.samples
        [(repeated, values)] = part.query(
            data_check_queries.repeated_statement(self._source, rule.columns, samples=samples)
        )
        return repeated, values

    def _rows(self, part: ReadOnlyPart) -> int:
        """Return the number of rows. Counts them if the scan failed."""
        if self._row_count is None:
            self._require_another_scan()
            [(self._row_count,)] = part.query(data_check_queries.scan_statement(self._source, ()))
        return self._row_count

    def _figure(self, part: ReadOnlyPart, check: DataCheck) -> Any:
        """Return a check's figure from the scan, or from a scan of its own."""
        if check.name not in self._scanned:
            self._scan_alone(part, check)
        return self._scanned[check.name]

    def _scan_alone(self, part: ReadOnlyPart, check: DataCheck) -> None:
        self._require_another_scan()
        found = part.query(data_check_queries.scan_statement(self._source, [self._scan_column(check)]))
        if len(found) != 1 or len(found[0]) != 2:  # the count and the figure
            raise _NotOneExpression
        self._scanned[check.name] = found[0][1]

    def _require_another_scan(self) -> None:
        if not self._scans_alone:
            raise _ScanFailed

    def _sample_rows(self, part: ReadOnlyPart, rule: RowRule) -> Sequence[str]:
        bad = data_check_queries.bad_row_condition(rule)
        statement = data_check_queries.samples_statement(self._source, bad, count=self._limits.samples)
        return [sample for (sample,) in part.query(statement)]

    def _raise_unless_of_check(self, error: Error) -> None:
        is_of_server = is_server_fault(error) and sqlstate(error) != READ_ONLY  # a check that writes
        if self._is_stopped() or has_lost_session(error) or is_transient(error) or is_of_server:
            raise error


def _is_scanned(check: DataCheck) -> bool:
    return not isinstance(check.rule, Query | Unique | RowCount | Unreadable)


def _storable(text: str) -> str:
    """Return a text from the view's database that the default database can store."""
    return text if is_storable(text) else text.encode("ascii", "backslashreplace").decode()
