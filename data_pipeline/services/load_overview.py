"""Reads the latest loads, and the problems of all loads."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.domain.load_overview import LateTable, LoadSummary
from data_pipeline.postgres import load_overview
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.request_overview import RequestOverview, read_request_overview
from seeder.domain.view_names import normalize_name

DEFAULT_LIMIT = 20
DEFAULT_LATE_HOURS = 26  # a daily load, with two hours to spare


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadOverview:
    """The latest loads, failing and stuck ones first."""

    loads: Sequence[LoadSummary]  # the first ones
    failing: int  # of all loads
    stuck: int  # of all loads
    late: Sequence[LateTable]
    queued: RequestOverview | None = None  # requests of the default database; None if loads are filtered

    @property
    def problems(self) -> frozenset[str]:
        """Which of `failed`, `stuck` and `late` there are."""
        found = {"failed": self.failing, "stuck": self.stuck, "late": len(self.late)}
        return frozenset(name for name, count in found.items() if count)


def read_load_overview(
    *,
    source: str | None = None,
    table: str | None = None,
    limit: int = DEFAULT_LIMIT,
    late_hours: int = DEFAULT_LATE_HOURS,
    using: str = DEFAULT_DB_ALIAS,
) -> LoadOverview:
    """Read the state of loads: at most `limit` of them, but the counts of all."""
    table = None if table is None else normalize_name(table)
    with translate_errors(using):
        loads, failing, stuck = load_overview.load_summaries(using, source=source, table=table, limit=max(limit, 1))
        late = load_overview.late_tables(using, source=source, table=table, hours=late_hours)
        queued = read_request_overview(limit=limit, using=using) if source is table is None else None
    return LoadOverview(loads=loads[:limit], failing=failing, stuck=stuck, late=late, queued=queued)
