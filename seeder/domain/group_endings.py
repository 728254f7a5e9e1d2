"""How consistent groups ended in a run: which members became visible together, or why they kept their rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from seeder.domain.human_format import format_count, format_duration, format_names
from seeder.domain.outcomes import GROUP_CONSEQUENCES, GroupReason, HeldReason, RefreshResult, RunSummary, Status

_MAX_NAMES = 10
_MIN_WAIT = timedelta(milliseconds=100)  # a shorter one is not reported
_CAUSES: Mapping[str, str] = {
    GroupReason.REFUSED: "the group cannot be refreshed in one transaction",
    GroupReason.LOST_RACE: "another session changed members or their tables",
    GroupReason.TIME_LIMIT: "the group exceeded its time limit",
    HeldReason.DEPENDENCY: "they read a view that data checks held",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberEnding:
    """How one member ended."""

    view: str
    status: Status
    reason: str | None = None  # of a failure


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupEnding:
    """How one group ended."""

    name: str
    members: Sequence[MemberEnding]
    hidden_members: int = 0  # of agencies that the user may not see
    attempts: int | None = None
    lock_wait: timedelta | None = None
    published_at: datetime | None = None  # when the last member was recorded, just before the commit; None if none was

    @property
    def is_published(self) -> bool:
        return any(one.status is Status.SUCCESS for one in self.members)

    @property
    def is_complete(self) -> bool:
        """Whether all members became visible together."""
        return all(one.status is Status.SUCCESS for one in self.members)

    def __str__(self) -> str:
        """Return sentences such as `a, b became visible together at attempt 2.`"""
        if not self.is_published:
            return f"{self._names(self.members)} kept their rows, because {self._cause}{self._facts}."
        published = [one for one in self.members if one.status is Status.SUCCESS]
        text = f"{self._names(published)} became visible together{self._facts}."
        kept = sorted(f"{one.view} ({one.reason})" for one in self.members if one.status is not Status.SUCCESS)
        return text + (f" Not published with them: {', '.join(kept)}." if kept else "")

    @property
    def _facts(self) -> str:
        """Return the attempts and the wait as part of a sentence."""
        attempts = f" at attempt {self.attempts}" if (self.attempts or 0) > 1 else ""
        wait = self.lock_wait or timedelta()
        return attempts + (f" after {format_duration(wait)} waiting for locks" if wait >= _MIN_WAIT else "")

    @property
    def _cause(self) -> str:
        cause = next((one for one in self.members if one.reason not in GROUP_CONSEQUENCES), None)
        if cause is None:  # a member that the user may not see
            return "of another member"
        if cause.reason == HeldReason.DATA_CHECKS:
            return f"data checks held {cause.view}"
        return _CAUSES.get(cause.reason or "", f"{cause.view} failed: {cause.reason}")

    def _names(self, members: Sequence[MemberEnding]) -> str:
        names = format_names([one.view for one in members], "view", max_shown=_MAX_NAMES)
        hidden = f" and {format_count(self.hidden_members, 'view')} of other agencies" if self.hidden_members else ""
        return names + hidden


def summary_groups(summary: RunSummary) -> Iterator[GroupEnding]:
    """Yield how the groups of a run ended."""
    by_name: dict[str, list[tuple[str, RefreshResult]]] = {}
    for view, result in summary.results.items():
        if result.consistent_group is not None:
            by_name.setdefault(result.consistent_group, []).append((str(view.key.name), result))
    for name, results in sorted(by_name.items()):
        first = results[0][1]
        ends = [result.finished_at for _, result in results if result.failure is None]
        yield GroupEnding(
            name=name,
            members=[
                MemberEnding(view=view, status=result.outcome.status, reason=result.reason) for view, result in results
            ],
            attempts=first.attempts,
            lock_wait=first.cost.lock_wait,
            published_at=max(ends, default=None),
        )
