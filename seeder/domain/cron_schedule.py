"""Cron expressions in a time zone, with one firing for each local time."""

from collections.abc import Iterator
from datetime import UTC, datetime

from seeder.domain.clock_changes import end_of_gap, exact_instant
from seeder.errors import BadCron, ExtraMissing
from seeder.texts import Text


class CronSchedule:
    """The times of a cron expression with five fields, or of a name such as `@daily`.

    When the clocks change, each local time fires once: a repeated time at its first occurrence, a missing time at the
    end of the gap. An expression for every hour follows the clock instead: it fires in both of the repeated hours, and
    not for times in a gap.
    """

    def __init__(self, expression: str) -> None:
        """Raise `BadCron` for an expression that is invalid or never matches, or `ExtraMissing`."""
        try:
            from croniter import CroniterError, croniter
        except ImportError as error:
            raise ExtraMissing(feature=Text("A cron expression"), distribution="croniter", extra="queue") from error
        self.expression = expression
        self._croniter = croniter
        fields = expression.split()
        if not expression.startswith("@") and len(fields) != 5:  # a sixth would mean seconds
            problem = Text("it must have five fields: minute, hour, day, month, weekday")
            raise BadCron(expression=expression, problem=problem)
        if any(field[0] in "Rr" for field in fields):
            raise BadCron(expression=expression, problem=Text("random times (R) would fire more than once"))
        try:
            iterator = croniter(expression, datetime(2000, 1, 1))  # noqa: DTZ001  # a local time
            iterator.get_next()  # February 30 parses, and never comes
        except CroniterError as error:
            raise BadCron(expression=expression, problem=str(error).rstrip(".")) from error
        self._is_for_every_hour = iterator.expanded[1] == ["*"]

    def next(self, after: datetime) -> datetime:
        """Return the first firing after an aware time, in the time zone of that time."""
        if after.utcoffset() is None:
            raise ValueError(f"{after} has no time zone")
        folds = (0, 1) if self._is_for_every_hour else (0,)
        now = after.astimezone(UTC)
        return min(self._next(now, after, fold) for fold in folds).astimezone(after.tzinfo)

    def _next(self, now: datetime, after: datetime, fold: int) -> datetime:
        """Return the first firing in UTC, if each repeated local time fires at its first or second occurrence."""
        instants = (self._instant(local.replace(tzinfo=after.tzinfo, fold=fold)) for local in self._local_times(after))
        return next(instant for instant in instants if instant is not None and instant > now)

    def _local_times(self, after: datetime) -> Iterator[datetime]:
        """Yield the matching local times, from one before the next firing."""
        local = after.astimezone(UTC).astimezone(after.tzinfo)  # a time in a gap becomes the one after it
        first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        # Croniter gets no time zone, so it knows no changes of the clocks.
        times = self._croniter(self.expression, local.replace(tzinfo=None) - (second - first))
        while True:
            yield times.get_next(datetime)

    def _instant(self, local: datetime) -> datetime | None:
        """Return when a local time is, in UTC; for one in a gap the end of the gap, or None if it does not fire."""
        instant = exact_instant(local)
        if instant is not None or self._is_for_every_hour:
            return instant
        return end_of_gap(local)
