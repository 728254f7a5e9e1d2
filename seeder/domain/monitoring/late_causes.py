"""Why a view without a recent success is late: what the last night and the schedules did with it."""

from collections.abc import Collection

from seeder.domain.monitoring.nights import Round
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.outcomes import OPEN_STATUSES
from seeder.texts import Text


def late_cause(job: Job, night: Round | None, schedules: Collection[str] | None) -> str:
    """Return why the last night has no result of a late view. Empty if it has one, or can still have one.

    `schedules` are the names of those that refresh the view; None if they are unknown.
    """
    if night is None or night.is_running or _is_in(night, job):
        return ""
    if night.interrupted_by:
        return Text("the last night was interrupted before it selected the view")
    if schedules is None:
        return Text("not selected by the last night")
    if not schedules:
        return Text("no schedule selects it")
    if any(run.requested_by in schedules for run in night.runs):
        return Text("not selected by the last night: its manifest was added or enabled after the night had started")
    return Text("its schedule did not run in the last night")


def _is_in(night: Round, job: Job) -> bool:
    if job.status in OPEN_STATUSES or job.last_run_id in {run.run_id for run in night.runs}:
        return True
    return job.start_time is not None and job.start_time >= night.started_at
