"""Options of consistent groups."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupOptions:
    """How a group is refreshed, and what is published if data checks hold a member."""

    allow_blocking: bool = False  # members without a usable unique index are refreshed plainly
    publish_without_held: bool = False  # a held member and its dependents keep their rows
    max_duration: timedelta | None = None  # of one attempt; None: the statement timeout limits each member

    def combined(self, other: "GroupOptions") -> "GroupOptions":
        """Return the options of two groups that became one: the stricter ones."""
        return GroupOptions(
            allow_blocking=self.allow_blocking and other.allow_blocking,
            publish_without_held=self.publish_without_held and other.publish_without_held,
            max_duration=min(filter(None, (self.max_duration, other.max_duration)), default=None),
        )
