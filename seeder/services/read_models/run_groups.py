"""The consistent groups of a run, as its rows say."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Max, Min

from seeder.domain.group_endings import GroupEnding, MemberEnding
from seeder.domain.outcomes import Status
from seeder.models import RunHistory, RunMetrics
from seeder.postgres.contract import OptionalTables


def groups_of_run(run_id: str, agencies: list[str] | None) -> Sequence[GroupEnding]:
    """Return the groups with members of these agencies (None: all). Other members are only counted.

    None are known without the table of metrics, which a run writes every few seconds.
    """
    if not OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True).is_usable("seeder_run_metrics"):
        return ()
    metrics = _metrics_of_members(run_id)
    by_group: dict[str, dict[str, RunHistory]] = {}
    hidden: dict[str, set[str]] = {}
    rows = RunHistory.objects.filter(run_id=run_id, pk__in=metrics).order_by("table_name", "pk").defer("errors")
    for row in rows if metrics else ():
        name = metrics[row.pk].consistent_group or ""
        if agencies is None or row.agency_slug in agencies:
            by_group.setdefault(name, {}).setdefault(row.table_name, row)
        else:
            hidden.setdefault(name, set()).add(row.table_name)
    return [
        _ending(name, [*members.values()], metrics, hidden_members=len(hidden.get(name, set()) - members.keys()))
        for name, members in sorted(by_group.items())
    ]


def _metrics_of_members(run_id: str) -> Mapping[int, RunMetrics]:
    """Return the metrics of members, by history id.

    Without the addition, the planner would look for the run from both ends of the history.
    """
    number = F("pk") + 0
    ids = RunHistory.objects.filter(run_id=run_id).aggregate(first=Min(number), last=Max(number))
    if ids["first"] is None:
        return {}
    found = RunMetrics.objects.of_rows(**ids).exclude(consistent_group=None)
    return {row.pk: row for row in found.only("consistent_group", "reason", "attempts", "lock_wait_seconds")}


def _ending(
    name: str, rows: Sequence[RunHistory], metrics: Mapping[int, RunMetrics], *, hidden_members: int
) -> GroupEnding:
    first = metrics[rows[0].pk]
    ends = [row.finish_time for row in rows if row.status == Status.SUCCESS and row.finish_time is not None]
    return GroupEnding(
        name=name,
        members=[
            MemberEnding(view=row.table_name, status=Status(row.status), reason=metrics[row.pk].reason) for row in rows
        ],
        hidden_members=hidden_members,
        attempts=first.attempts,
        lock_wait=None if first.lock_wait_seconds is None else timedelta(seconds=first.lock_wait_seconds),
        published_at=max(ends, default=None),
    )
