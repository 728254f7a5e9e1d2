"""How consistent groups ended in a run: which members became visible together, or why they kept their rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from seeder.domain.human_format import format_count, format_duration, format_names
from seeder.domain.outcomes import GROUP_CONSEQUENCES, GroupReason, HeldReason, RefreshResult, RunSummary, Status
from seeder.texts import Text

_MAX_NAMES = 10
_MIN_WAIT = timedelta(milliseconds=100)  # a shorter one is not reported


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
            return Text("{text}.", text=self._with_facts(self._kept_text))
        published = [one for one in self.members if one.status is Status.SUCCESS]
        text = Text("{views} became visible together", views=self._names(published))
        text = Text("{text}.", text=self._with_facts(text))
        kept = sorted(f"{one.view} ({one.reason})" for one in self.members if one.status is not Status.SUCCESS)
        if not kept:
            return text
        return Text.joined([text, Text("Not published with them: {views}.", views=", ".join(kept))], " ")

    def _with_facts(self, text: Text) -> Text:
        """Return a sentence with the attempts and the wait, without its full stop."""
        if (self.attempts or 0) > 1:
            text = Text("{text} at attempt {attempt}", text=text, attempt=self.attempts)
        if (wait := self.lock_wait or timedelta()) >= _MIN_WAIT:
            text = Text("{text} after {duration} waiting for locks", text=text, duration=format_duration(wait))
        return text

    @property
    def _kept_text(self) -> Text:
        names = self._names(self.members)
        cause = next((one for one in self.members if one.reason not in GROUP_CONSEQUENCES), None)
        if cause is None:  # a member that the user may not see
            return Text("{views} kept their rows, because of another member", views=names)
        match cause.reason:
            case HeldReason.DATA_CHECKS:
                text = Text("{views} kept their rows, because data checks held {view}", views=names, view=cause.view)
            case HeldReason.DEPENDENCY:
                text = Text("{views} kept their rows, because they read a view that data checks held", views=names)
            case GroupReason.REFUSED:
                text = Text(
                    "{views} kept their rows, because the group cannot be refreshed in one transaction", views=names
                )
            case GroupReason.LOST_RACE:
                text = Text(
                    "{views} kept their rows, because another session changed members or their tables", views=names
                )
            case GroupReason.TIME_LIMIT:
                text = Text("{views} kept their rows, because the group exceeded its time limit", views=names)
            case reason:
                text = Text(
                    "{views} kept their rows, because {view} failed: {reason}",
                    views=names,
                    view=cause.view,
                    reason=reason,
                )
        return text

    def _names(self, members: Sequence[MemberEnding]) -> Text:
        names = format_names([one.view for one in members], "view", max_shown=_MAX_NAMES)
        if not self.hidden_members:
            return names
        hidden = format_count(self.hidden_members, "view")
        return Text("{names} and {views} of other agencies", names=names, views=hidden)


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
