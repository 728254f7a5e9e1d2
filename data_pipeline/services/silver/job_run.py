"""The work of the job `get_s3_files`: plan, transform or queue, and show the outcome."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from data_pipeline import conf
from data_pipeline.domain.load_progress import LoadProgress
from data_pipeline.domain.silver_outcomes import ObjectOutcome, ObjectState
from data_pipeline.services.handler import ServiceHandler
from data_pipeline.services.job_output import job_output
from data_pipeline.services.silver.planning import SilverPlan, SilverRequest, plan_silver, silver_request
from data_pipeline.services.silver.report import run_blocks, run_document
from data_pipeline.services.silver.running import SilverRun, without_record
from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage.object_versions import ObjectVersion
from seeder.errors import SeederError

if TYPE_CHECKING:
    from data_pipeline.services.silver_log import SilverLog

NAME = "get_s3_files"
_FAILED = 1


def run_job(handler: ServiceHandler, options: Namespace) -> int:
    """Run the job with parsed arguments. Return the exit code. Raises `SeederError` if nothing can be done."""
    settings = handler.settings()
    request = silver_request(
        settings,
        agency_id=options.agency_id,
        source_bucket=options.source_bucket,
        destination_bucket=options.destination_bucket,
        prefix=options.prefix,
        dialect=options.dialect,
        force=options.force,
        limit=options.limit,
    )
    work = _Work(handler, request, settings, is_dry_run=options.dry_run)
    plan = work.plan(needs_database=options.scatter)
    output, outcomes = job_output(as_json=options.json), list[ObjectOutcome]()
    try:
        with output.show_progress("bytes") as advance:
            outcomes.extend(work.queue(plan) if options.scatter else work.run(plan, advance))
    except (SeederError, KeyboardInterrupt):
        if outcomes:
            output.show(run_document(request, plan, outcomes), run_blocks(request, plan, outcomes))
        raise
    output.show(run_document(request, plan, outcomes), run_blocks(request, plan, outcomes))
    return _FAILED if any(one.state is ObjectState.FAILED for one in outcomes) else 0


class _Work:
    """One run. It uses the database if there are Django settings, except for a dry run."""

    def __init__(
        self, handler: ServiceHandler, request: SilverRequest, settings: conf.Settings, *, is_dry_run: bool
    ) -> None:
        self._handler, self._request, self._settings, self._is_dry_run = handler, request, settings, is_dry_run
        self._store: ObjectStore = handler.storage(settings)
        self._log: SilverLog | None = None

    def plan(self, *, needs_database: bool) -> SilverPlan:
        """Start Django if it is used, and list both buckets. Record what killed processes have not."""
        if self._is_dry_run or not (needs_database or self._handler.has_database):
            return plan_silver(self._store, self._request)
        self._handler.start_django()
        from data_pipeline.services.silver_log import SilverLog  # imports models

        self._log = log = SilverLog(self._store, self._request, self._settings, using=self._handler.database)
        unsettled = log.unsettled()
        plan = plan_silver(self._store, self._request, unsettled=unsettled, waiting=log.waiting_keys())
        for version in plan.unrecorded:
            log.adopt(unsettled[version])
        return plan

    def queue(self, plan: SilverPlan) -> Iterator[ObjectOutcome]:
        """Queue a request for each object that is due."""
        if self._is_dry_run:
            return map(_due, plan.due)
        from data_pipeline.services.silver_requests import enqueue_transforms  # imports models

        return enqueue_transforms(plan.due, self._request, requested_by=NAME)

    def run(self, plan: SilverPlan, advance: Callable[[int, int], object]) -> Iterator[ObjectOutcome]:
        """Transform each object that is due."""
        if self._is_dry_run:
            yield from map(_due, plan.due)
            return
        total, completed = sum(one.size for one in plan.due), 0

        def on_progress(progress: LoadProgress) -> None:
            advance(completed + progress.bytes_read, total)

        record, read_table = (self._log.record, self._log.read_table) if self._log else (without_record, None)
        run = SilverRun(
            self._store, self._request, self._settings, record=record, read_table=read_table, on_progress=on_progress
        )
        if plan.due and self._log is None:
            sys.stderr.write("Without Django settings, nothing is recorded in load_log.\n")
        for outcome in run.transform_all(plan):
            completed += outcome.size_bytes
            yield outcome


def _due(source: ObjectVersion) -> ObjectOutcome:
    return ObjectOutcome(source_uri=source.uri, state=ObjectState.DUE, size_bytes=source.size)
