"""The groups of agencies on the monitoring page."""

from datetime import datetime, timedelta

from django.utils import timezone

from seeder.admin.agency_section import group_agencies
from seeder.domain.monitoring.agency_totals import AgencyAge, DataDay


def age(slug: str, oldest: datetime | None, fresh: datetime | None = None, *, failing: int = 0) -> AgencyAge:
    return AgencyAge(slug=slug, failing=failing, late=0, oldest_success_at=oldest, oldest_fresh_at=fresh or oldest)


def test_agencies_are_grouped_by_the_day_of_their_data() -> None:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    evening = midnight - timedelta(hours=1)
    ages = [
        age("bad", evening, midnight, failing=1),
        age("new", None),
        age("retried", midnight, failing=1),  # failed after today's success
        age("evening", evening),
        age("good", midnight),
    ]
    groups = [*group_agencies(ages, {"bad": "Bad agency"})]
    assert [(group.day, [name for _, name in group.agencies]) for group in groups] == [
        (DataDay.PARTLY_TODAY, ["Bad agency"]),
        (DataDay.EARLIER, ["new", "evening"]),
        (DataDay.TODAY, ["retried", "good"]),
    ]


def test_agencies_beyond_the_limit_are_counted() -> None:
    now = timezone.now()
    ages = [age(f"old {number}", now - timedelta(days=2)) for number in range(10)]
    groups = [*group_agencies([*ages, *(age(f"new {number}", now) for number in range(5))], {})]
    assert [(group.day, len(group.agencies), group.more) for group in groups] == [
        (DataDay.EARLIER, 10, 0),
        (DataDay.TODAY, 2, 3),
    ]
