"""What keeps the queue from working although its clusters run."""

from ast import literal_eval
from collections.abc import Iterator, Sequence

from seeder.errors import QueueMissing
from seeder.services.queue import dispatch, part_rows


def queue_problems() -> Sequence[str]:
    """A sentence each, with what to do. Raises what Django does where the database cannot be asked."""
    try:
        part_rows.require_table()
        dispatch.require_queue()
    except QueueMissing as missing:
        return [str(missing)]
    return list(unreadable_schedules())


def unreadable_schedules() -> Iterator[str]:
    """Django-q2 reads the arguments of all schedules that are due in one transaction, which ends at the first that it
    cannot read: then none of them is run, ours neither."""
    from django_q.models import Schedule

    for row in Schedule.objects.exclude(args__isnull=True).exclude(args="").order_by("pk"):
        try:
            literal_eval(row.args)
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            yield (
                f"The arguments of the schedule {row.name or row.pk!r} (id {row.pk}) cannot be read: once it is due,"
                " the queue runs no schedule at all. Mend or delete it in the admin of django-q2."
            )
