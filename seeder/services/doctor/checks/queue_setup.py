"""Settings of the queue that break tasks, and problems that stop it."""

from collections.abc import Iterator

from seeder.errors import QueueMissing
from seeder.services import extras
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, warning_problem
from seeder.services.queue import dispatch, part_rows, schedule_rows, schedules
from seeder.texts import Text

QUEUE_BLOCKED = error_problem(
    name="queue_blocked",
    area="queue",
    meaning=Text("The arguments of a django-q2 schedule cannot be read: once it is due, no schedule runs."),
    fix=Text("Correct or delete it."),
)
QUEUE_FAULT = error_problem(
    name="queue_fault",
    area="queue",
    meaning=Text(
        "A setting runs tasks twice or lets them hang, or a time never comes: `seeder.E007` to `seeder.E014` and"
        " `seeder.E017` of `manage.py check`."
    ),
    fix=Text("Follow the hint."),
)
QUEUE_RISK = warning_problem(
    name="queue_risk",
    area="queue",
    meaning=Text("A setting of the queue can lose tasks: `seeder.W010` to `seeder.W013`."),
    fix=Text("Follow the hint."),
)
QUEUE_MISSING = warning_problem(
    name="queue_missing",
    area="queue",
    meaning=Text("The queue is installed, but its tables or seeder's are missing."),
    fix=Text("Run `manage.py migrate` and `manage.py install_schema`, or do without the queue."),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    """Report nothing if no queue is installed."""
    if not database.is_default or not dispatch.is_installed():
        return
    if missing_extra := extras.problem(extras.QUEUE, Text("The queue")):
        message, fix = (
            Text("{problem} (seeder.E017).", problem=str(missing_extra)),
            Text("Install the extra, or remove 'django_q'."),
        )
        yield QUEUE_FAULT.found("INSTALLED_APPS", message=message, fix=fix)
    for invalid in schedules.schedule_problems(database.settings):
        message = Text("It is {value!r}, which cannot be scheduled: {problem} (seeder.E007).", **invalid.facts)
        yield QUEUE_FAULT.found(
            str(invalid.facts["setting"]),
            message=message,
            fix=Text("Correct it, and run `manage.py schedule_refreshes`."),
        )
    for found in dispatch.settings_problems(database.settings):
        problem = QUEUE_FAULT if found.is_error else QUEUE_RISK
        subject = "DATABASES" if found.message.startswith("DATABASES") else "Q_CLUSTER"
        message = Text("{problem} ({check_id})", problem=found.message, check_id=found.check_id)
        yield problem.found(subject, message=message, fix=found.hint)
    try:
        part_rows.require_table()
        dispatch.require_queue()
    except QueueMissing as missing:
        yield QUEUE_MISSING.found(Text("the queue's tables"), message=str(missing))
    else:
        for unreadable in schedule_rows.unreadable_schedules():
            yield QUEUE_BLOCKED.found(Text("django-q2's schedules"), message=unreadable)
