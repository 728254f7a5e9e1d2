"""What is fresh, what failed and what runs: read for whoever looks, and for nobody else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.jobs import By, Job, Judgement, Listing, Recent, Totals, Wanted
from seeder.postgres import jobs
from seeder.postgres.sqlstates import foreseen


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some of the jobs, and how many there are in all; beyond the last page that is 0."""

    jobs: Sequence[Job]
    total: int


def page(wanted: Wanted, listing: Listing, *, by: By = By.VIEW) -> Page:
    """One page of the jobs. Raises `ConfigurationError` or `DatabaseError`."""
    with foreseen(DEFAULT_DB_ALIAS):
        found, total = jobs.jobs(DEFAULT_DB_ALIAS, wanted, by, listing, _judgement())
    return Page(jobs=found, total=total)


def totals(wanted: Wanted, *, by: By = By.VIEW) -> Totals:
    """Raises `ConfigurationError` or `DatabaseError`."""
    with foreseen(DEFAULT_DB_ALIAS):
        return jobs.totals(DEFAULT_DB_ALIAS, wanted, by, _judgement())


def recent(shown: Iterable[Job], *, most: int = 14) -> Mapping[str, Sequence[Recent]]:
    """The latest runs of each of these jobs, the latest first, by the name of their table. Raises `DatabaseError`."""
    with foreseen(DEFAULT_DB_ALIAS):
        return jobs.recent_runs(DEFAULT_DB_ALIAS, list(shown), most=most)


def _judgement() -> Judgement:
    settings = conf.load()
    return Judgement(stale_after=timedelta(hours=settings.stale_hours), factor=settings.long_running_factor)
