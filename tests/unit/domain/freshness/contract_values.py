"""Builders of freshness contracts."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from seeder.domain.freshness.contract import DueTime, FreshnessContract, parse_days


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def lag_contract(hours: float, *, grace: float = 0) -> FreshnessContract:
    return FreshnessContract(
        id=1,
        view=None,
        agency="demo",
        target_lag=timedelta(hours=hours),
        due=None,
        grace=timedelta(hours=grace),
    )


def due_contract(
    at: str,
    *,
    zone: str = "UTC",
    days: str = "1-7",
    since: str = "00:00",
    grace: float = 0,
) -> FreshnessContract:
    due = DueTime(
        at=time.fromisoformat(at), since=time.fromisoformat(since), zone=ZoneInfo(zone), days=parse_days(days)
    )
    return FreshnessContract(id=1, view=None, agency="demo", target_lag=None, due=due, grace=timedelta(hours=grace))
