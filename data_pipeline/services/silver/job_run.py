"""The work of the job `get_s3_files`: plan, transform or queue, and show the outcome."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator

from data_pipeline import conf
from data_pipeline.domain.load_progress import LoadProgress
from data_pipeline.domain.silver_outcomes import ObjectOutcome, ObjectState
from data_pipeline.services.handler import ServiceHandler
from data_pipeline.services.job_output import job_output
from data_pipeline.services.silver.planning import SilverPlan, SilverRequest, plan_silver, silver_request
from data_pipeline.services.silver.report import run_blocks, run_document
from data_pipeline.services.silver.running import SilverRun
from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage.object_versions import ObjectVersion
from data_pipeline.storage_errors import StoreError

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
    store = handler.open_store(settings)
    output, outcomes = job_output(as_json=options.json), list[ObjectOutcome]()
    plan = plan_silver(store, request)
    try:
        if options.dry_run:
            outcomes += map(_due, plan.due)
        else:
            with output.show_progress("bytes") as advance:
                outcomes.extend(_transform(handler, store, request, settings, plan, advance=advance))
    except (StoreError, KeyboardInterrupt):
        if outcomes:
            output.show(run_document(request, plan, outcomes), run_blocks(request, plan, outcomes))
        raise
    output.show(run_document(request, plan, outcomes), run_blocks(request, plan, outcomes))
    return _FAILED if any(one.state is ObjectState.FAILED for one in outcomes) else 0


def _due(source: ObjectVersion) -> ObjectOutcome:
    return ObjectOutcome(source_uri=source.uri, state=ObjectState.DUE, size_bytes=source.size)


def _transform(  # noqa: PLR0913  # facts of one run
    handler: ServiceHandler,
    store: ObjectStore,
    request: SilverRequest,
    settings: conf.Settings,
    plan: SilverPlan,
    *,
    advance: Callable[[int, int], object],
) -> Iterator[ObjectOutcome]:
    total, completed = sum(one.size for one in plan.due), 0

    def on_progress(progress: LoadProgress) -> None:
        advance(completed + progress.bytes_read, total)

    run = SilverRun(store, request, settings, on_progress=on_progress)
    if plan.due and not handler.has_database:
        sys.stderr.write("Without Django settings, nothing is recorded in load_log.\n")
    for outcome in run.transform_all(plan):
        completed += outcome.size_bytes
        yield outcome
