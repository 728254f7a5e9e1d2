"""Problems that stop the queue even while clusters are running."""

from ast import literal_eval
from collections.abc import Iterator, Sequence

from seeder.errors import QueueMissing
from seeder.services.queue import dispatch, part_rows


def queue_problems() -> Sequence[str]:
    """Return the problems, each with its solution. Raises Django's database errors."""
    try:
        part_rows.require_table()
        dispatch.require_queue()
    except QueueMissing as missing:
        return [str(missing)]
    return list(unreadable_schedules())


def unreadable_schedules() -> Iterator[str]:
    """Yield schedules whose arguments do not parse.

    Django-q2 reads all due schedules in one transaction and stops at the first error, so that none of them runs.
    """
    from django_q.models import Schedule

    for row in Schedule.objects.exclude(args__isnull=True).exclude(args="").order_by("pk"):
        try:
            literal_eval(row.args)
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            yield (
                f"The arguments of the schedule {row.name or row.pk!r} (id {row.pk}) cannot be read: once it is due,"
                " the queue runs no schedule at all. Correct or delete it in the admin of django-q2."
            )
