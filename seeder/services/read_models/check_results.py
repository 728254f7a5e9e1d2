"""Data checks with their latest results, and the refreshes of a view that were checked."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet

from seeder.domain.data_checks.results import CheckOutcome, CheckSeverity
from seeder.domain.data_checks.rules import Unreadable
from seeder.domain.manifests import ViewKey
from seeder.domain.view_names import normalize_name
from seeder.models import DataCheck, DataCheckResult, RunHistory
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.data_checks import check_rows, waivers
from seeder.services.read_models import view_checks


@dataclass(frozen=True, kw_only=True, slots=True)
class VisibleResult:
    """A result as a user may see it: bad rows and messages can have data."""

    row: DataCheckResult
    text: str  # figures and bounds, without a full stop
    samples: Sequence[str]  # bad rows as JSON, possibly cut
    message: str | None
    hides_data: bool  # there are bad rows or a message that the user may not see

    @property
    def holds(self) -> bool:
        """Whether it kept the view from being published."""
        is_unmet = self.row.outcome in {CheckOutcome.FAILED, CheckOutcome.COULD_NOT_RUN}
        return is_unmet and self.row.severity == CheckSeverity.ERROR

    @property
    def can_accept(self) -> bool:
        """Whether its figures can become the baseline of the check."""
        return self.holds and waivers.has_baseline(self.row)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedCheck:
    """A data check with the result of its latest run."""

    row: DataCheck
    problem: str | None  # why it cannot be read
    last: VisibleResult | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedRefresh:
    """A refresh with the results of its data checks."""

    history: RunHistory
    results: Sequence[VisibleResult]  # those that hold the view first, passed ones last

    @property
    def is_held(self) -> bool:
        return any(result.holds for result in self.results)


def list_checks(rows: Sequence[DataCheck], *, can_see_data: bool) -> Sequence[ListedCheck]:
    """Return the checks of rows. Takes a constant number of statements."""
    latest = _latest_results(rows)
    listed = []
    for row in rows:
        rule, result = check_rows.read_rule(row.kind, row.arguments), latest.get(row.pk)
        problem = rule.problem if isinstance(rule, Unreadable) else None
        last = None if result is None else _visible(result, can_see_data=can_see_data)
        listed.append(ListedCheck(row=row, problem=problem, last=last))
    return listed


def checked_history(view: ViewKey) -> QuerySet[Any]:
    """Return the ids of history rows with results of a view's checks, one for each refresh, as `history_id`."""
    if not _has_results():
        return DataCheckResult.objects.none()
    results = DataCheckResult.objects.filter(table_name=str(view.name), database_alias=view.database)
    return results.values_list("history_id", named=True).distinct()


def checked_refreshes(history_ids: Sequence[int], *, can_see_data: bool) -> Sequence[CheckedRefresh]:
    """Return the refreshes of history rows with the results of their checks, in this order."""
    history, found = RunHistory.objects.in_bulk(history_ids), defaultdict[int, list[VisibleResult]](list)
    for result in DataCheckResult.objects.filter(history__in=[*history]).order_by("check_name"):
        found[result.history_id].append(_visible(result, can_see_data=can_see_data))
    return [
        CheckedRefresh(history=history[pk], results=sorted(found[pk], key=_attention))
        for pk in history_ids
        if pk in history  # it can be pruned meanwhile
    ]


def _attention(result: VisibleResult) -> tuple[bool, bool]:
    return not result.holds, result.row.outcome == CheckOutcome.PASSED


def _visible(result: DataCheckResult, *, can_see_data: bool) -> VisibleResult:
    return VisibleResult(
        row=result,
        text=view_checks.describe_result(result, can_see_errors=can_see_data),
        samples=result.samples if can_see_data else (),
        message=result.message if can_see_data else None,
        hides_data=not can_see_data and bool(result.samples or result.message),
    )


def _latest_results(rows: Sequence[DataCheck]) -> Mapping[int, DataCheckResult]:
    """Return the latest result of each check that has one, with its history row, by the id of the check."""
    if not rows or not _has_results():
        return {}
    checks = {(normalize_name(row.table_name), row.database_alias, row.check_name): row.pk for row in rows}
    views, databases, names = map(list, zip(*checks, strict=True))
    parameters = {"views": views, "databases": databases, "checks": names}
    latest = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["latest_check_results"], parameters)
    results = DataCheckResult.objects.filter(pk__in=latest).select_related("history") if latest else ()
    return {checks[one.table_name, one.database_alias, one.check_name]: one for one in results}


def _has_results() -> bool:
    return OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable(waivers.RESULTS_TABLE)
