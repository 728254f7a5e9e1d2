"""Finds loads that need attention.

They are stuck or failed, their refreshes were not dispatched, or they have open rejects.
"""

from collections.abc import Iterator

from data_pipeline.postgres import doctor_facts
from data_pipeline.services import request_overview
from seeder.domain.human_format import format_count
from seeder.domain.monitoring.health_status import ComponentStatus
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, info_problem, warning_problem
from seeder.services.queue import part_rows, queue_overview
from seeder.texts import Text

LOADS_STUCK = warning_problem(
    name="loads_stuck",
    area="loads",
    meaning=Text("Loads are pending, but their process or connection has ended. Nothing of them remains."),
    fix=Text("Run `manage.py recover_loads`, which marks them as failed, or load the files again."),
)
LOADS_FAILED = warning_problem(
    name="loads_failed",
    area="loads",
    meaning=Text("Loads of a source failed and have not succeeded since. Nothing of them remains."),
    fix=Text("The page of the load has its error. Correct the cause and load the file again, or dismiss the load."),
)
REFRESHES_UNDISPATCHED = warning_problem(
    name="refreshes_undispatched",
    area="loads",
    meaning=Text("Loads have changed tables, but the refresh of their views was not dispatched within five minutes."),
    fix=Text("Run `manage.py watch_queue`, which dispatches it again. It logs why it cannot."),
)
REQUESTS_WAITING = warning_problem(
    name="requests_waiting",
    area="loads",
    meaning=Text("Queued loads have waited for five minutes, and no worker of the queue is busy."),
    fix=Text("Start `manage.py watch_queue`, which keeps a cluster running. It logs why it cannot."),
)
REJECTS_OPEN = info_problem(
    name="rejects_open",
    area="loads",
    meaning=Text("Rejected records are neither replayed nor dismissed."),
    fix=Text("Correct and replay them, or dismiss them on their page."),
)

_MAX_IDS = 5  # in a message


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    if not (database.is_default and doctor_facts.has_tables(database.alias)):
        return
    for source, ids in sorted(doctor_facts.stuck_loads(database.alias).items()):
        shown = [*map(str, ids[:_MAX_IDS]), *(["…"] if len(ids) > _MAX_IDS else [])]
        loads = format_count(len(ids), "load")
        message = Text("{loads} without a process: {ids}.", loads=loads, ids=", ".join(shown))
        yield LOADS_STUCK.found(source, message=message)
    for source, count, last_id, code in doctor_facts.read(database.alias, "failed_loads"):
        message = Text(
            "{loads}, the last one is {load_id}: {code}.",
            loads=format_count(count, "failed load"),
            load_id=last_id,
            code=code or Text("unknown"),
        )
        yield LOADS_FAILED.found(source, message=message)
    [(count, load_id)] = doctor_facts.read(database.alias, "late_refreshes")
    if count:
        loads = format_count(count, "load")
        message = Text("The refreshes of {loads}, the first one is load {load_id}.", loads=loads, load_id=load_id)
        yield REFRESHES_UNDISPATCHED.found("load_refresh", message=message)
    if (late := request_overview.late_requests(database.alias)) is not None and not _is_queue_busy():
        requests = format_count(late.count, "request")
        message = Text("{requests}, the first one is request {id}.", requests=requests, id=late.first_id)
        yield REQUESTS_WAITING.found("load_request", message=message)
    open_rejects = doctor_facts.read(database.alias, "loads_with_open_rejects")
    if open_rejects:
        last_id, of_last = open_rejects[0]
        message = Text(
            "{rejects} of {loads}, {number:,} of them in load {load_id}.",
            rejects=format_count(sum(number for _, number in open_rejects), "open reject"),
            loads=format_count(len(open_rejects), "load"),
            number=of_last,
            load_id=last_id,
        )
        yield REJECTS_OPEN.found("load_reject", message=message)


def _is_queue_busy() -> bool:
    """Return whether a worker refreshes views, behind which loads wait."""
    return part_rows.is_available() and queue_overview.worker_status() is ComponentStatus.WORKING
