"""Results of views that keep their old rows: not started, held by their data checks, or failed."""

from datetime import datetime

from django.db import Error

from seeder.domain.admission_types import Hold
from seeder.domain.data_checks.result_text import hold_message
from seeder.domain.data_checks.results import CheckResult
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Failure, HeldReason, Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedView
from seeder.domain.refresh_costs import RefreshCost
from seeder.services.run import failure_description


def given_up(hold: Hold, waits: RefreshCost, *, now: datetime) -> RefreshResult:
    """Return the result of a view that was never started because of a hold of its database."""
    failure = Failure(reason=hold.reason, message=f"Not started, because {hold.message}.")
    return _not_started(Outcome.FAILED, failure, waits, now=now)


def held_with_dependency(context: StartContext, *, now: datetime) -> RefreshResult:
    """Return the result of a view that was never started because it reads a held view."""
    names = " and ".join(str(key.name) for key in context.held_dependencies)
    message = f"Not started, because it reads {names}, which data checks held in this run."
    failure = Failure(reason=HeldReason.DEPENDENCY, message=f"{message} Readers keep the data from before.")
    return _not_started(Outcome.HELD, failure, context.waits, now=now)


def _not_started(outcome: Outcome, failure: Failure, waits: RefreshCost, *, now: datetime) -> RefreshResult:
    return RefreshResult(outcome=outcome, started_at=now, finished_at=now, attempts=0, failure=failure, cost=waits)


def held(
    view: PlannedView, checks: tuple[CheckResult, ...], *, started_at: datetime | None, now: datetime
) -> RefreshResult:
    """Return the result of a view whose new rows failed a data check."""
    failure = Failure(reason=HeldReason.DATA_CHECKS, message=hold_message(view.key.name, checks))
    return RefreshResult(
        outcome=Outcome.HELD, started_at=started_at or now, finished_at=now, failure=failure, checks=checks
    )


def failed(
    error: Error, view: ViewKey, *, refreshes_plainly: bool, started_at: datetime | None, now: datetime
) -> RefreshResult:
    """Return the result of a view that PostgreSQL could not refresh."""
    failure = failure_description.describe_failure(error, view, refreshes_plainly=refreshes_plainly)
    return RefreshResult(outcome=Outcome.FAILED, started_at=started_at or now, finished_at=now, failure=failure)
