"""Sentences about how a consistent group ended."""

from datetime import timedelta

import pytest

from seeder.domain.group_endings import GroupEnding, MemberEnding
from seeder.domain.outcomes import Status


def ending(*reasons: str | None, attempts: int = 1, lock_wait: timedelta = timedelta()) -> GroupEnding:
    """Return the ending of a group of views `a`, `b` and so on, each with its failure or None."""
    members = [
        MemberEnding(view=name, status=Status.ERROR if reason else Status.SUCCESS, reason=reason)
        for name, reason in zip("abcd", reasons, strict=False)
    ]
    return GroupEnding(name="g", members=members, attempts=attempts, lock_wait=lock_wait)


@pytest.mark.parametrize(
    ("group", "text"),
    [
        (ending(None, None), "a, b became visible together."),
        (
            ending(None, None, attempts=2, lock_wait=timedelta(seconds=3)),
            "a, b became visible together at attempt 2 after 3.00 s waiting for locks.",
        ),
        (
            ending(None, "held", "held_dependency", None),
            "a, d became visible together. Not published with them: b (held), c (held_dependency).",
        ),
        (ending("group_failed", "division_by_zero"), "a, b kept their rows, because b failed: division_by_zero."),
        (ending("held_group", "held"), "a, b kept their rows, because data checks held b."),
        (
            ending("group_refused", "group_refused"),
            "a, b kept their rows, because the group cannot be refreshed in one transaction.",
        ),
        (
            ending("group_lost_race", "group_lost_race", attempts=3),
            "a, b kept their rows, because another session changed members or their tables at attempt 3.",
        ),
        (ending("group_failed"), "a kept their rows, because of another member."),
    ],
)
def test_group_says_what_was_published_or_why_not(group: GroupEnding, text: str) -> None:
    assert str(group) == text
