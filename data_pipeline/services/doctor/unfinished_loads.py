"""Finds loads that need attention.

They are stuck or failed, their refreshes were not dispatched, or they have open rejects.
"""

from collections.abc import Iterator

from data_pipeline.postgres import doctor_facts
from seeder.domain.human_format import format_count
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, info_problem, warning_problem

LOADS_STUCK = warning_problem(
    name="loads_stuck",
    area="loads",
    meaning="Loads are pending, but their process or connection has ended. Nothing of them remains.",
    fix="Run `manage.py recover_loads`, which marks them as failed, or load the files again.",
)
LOADS_FAILED = warning_problem(
    name="loads_failed",
    area="loads",
    meaning="Loads of a source failed and have not succeeded since. Nothing of them remains.",
    fix="The page of the load has its error. Correct the cause and load the file again, or dismiss the load.",
)
REFRESHES_UNDISPATCHED = warning_problem(
    name="refreshes_undispatched",
    area="loads",
    meaning="Loads have changed tables, but the refresh of their views was not dispatched within five minutes.",
    fix="Run `manage.py watch_queue`, which dispatches it again. It logs why it cannot.",
)
REJECTS_OPEN = info_problem(
    name="rejects_open",
    area="loads",
    meaning="Rejected records are neither replayed nor dismissed.",
    fix="Correct and replay them, or dismiss them on their page.",
)

_MAX_IDS = 5  # in a message


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    if not (database.is_default and doctor_facts.has_tables(database.alias)):
        return
    for source, ids in sorted(doctor_facts.stuck_loads(database.alias).items()):
        shown = [*map(str, ids[:_MAX_IDS]), *(["…"] if len(ids) > _MAX_IDS else [])]
        message = f"{format_count(len(ids), 'load')} without a process: {', '.join(shown)}."
        yield LOADS_STUCK.found(source, message=message)
    for source, count, last_id, code in doctor_facts.read(database.alias, "failed_loads"):
        message = f"{format_count(count, 'failed load')}, the last one is {last_id}: {code or 'unknown'}."
        yield LOADS_FAILED.found(source, message=message)
    [(count, load_id)] = doctor_facts.read(database.alias, "late_refreshes")
    if count:
        message = f"The refreshes of {format_count(count, 'load')}, the first one is load {load_id}."
        yield REFRESHES_UNDISPATCHED.found("load_refresh", message=message)
    loads = doctor_facts.read(database.alias, "loads_with_open_rejects")
    if loads:
        last_id, of_last = loads[0]
        total = sum(number for _, number in loads)
        message = (
            f"{format_count(total, 'open reject')} of {format_count(len(loads), 'load')}, {of_last:,} of them in load"
            f" {last_id}."
        )
        yield REJECTS_OPEN.found("load_reject", message=message)
