"""Looks at a view as it is at one instant: its shape and what it holds."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import Error

from seeder.domain.manifests import ViewKey
from seeder.domain.snapshots.scan_grouping import group_columns
from seeder.domain.snapshots.snapshot_contents import ViewStatistics
from seeder.domain.snapshots.view_shape import ViewShape, sha256_hex
from seeder.domain.view_names import ViewName, did_you_mean
from seeder.errors import NeverAnalyzed, NeverFilled, NotAView, UnknownColumn, ViewMissing
from seeder.postgres import catalog, column_statistics, planner_statistics, shared_snapshot
from seeder.postgres.sqlstates import is_connection_lost
from seeder.services.snapshots.counting import Asked, Counting, Told


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A view at one instant."""

    shape: ViewShape
    figures: ViewStatistics
    at: datetime


def profile(key: ViewKey, asked: Asked, tell: Told = lambda *_: None) -> Profile:
    """Look at a view. Readers and concurrent refreshes go on meanwhile; a plain refresh waits.

    Raises `ViewMissing`, `NotAView`, `NeverFilled`, `NeverSampled`, `UnknownColumn` or PostgreSQL's errors.
    """
    database, name = key.database, key.name
    if catalog.relation_exists(database, name):
        _sample(key, asked)
    with shared_snapshot.SharedSnapshot(database, asked.parameters) as instant:
        found = instant.lock_view(name)
        if found is None:
            raise ViewMissing(view=name, alias=database)
        if not found.is_materialized:
            raise NotAView(view=name, alias=database)
        if not found.is_populated:
            raise NeverFilled(view=name)
        shape = ViewShape(
            columns=found.columns, definition_hash=sha256_hex(found.definition), server_version=found.server_version
        )
        names = [column.name for column in shape.columns]
        if asked.strict:
            insist_on_columns(key.name, asked.top, names)
        top = asked.top.intersection(names)
        if asked.approximate:
            estimated = planner_statistics.estimate_statistics(
                database, name, shape.columns, top_columns=top, max_top_values=asked.most
            )
            if estimated is None:
                raise NeverAnalyzed(view=name)
            return Profile(shape=shape, figures=estimated, at=instant.taken_at)
        by_name = {column.name: column for column in shape.columns}
        tasks = [
            column_statistics.CountTask(
                view=name, columns=tuple(by_name[one] for one in together), top_columns=top, max_top_values=asked.most
            )
            for together in group_columns(by_name, planner_statistics.estimate_distinct_counts(database, name))
        ]
        counted = Counting(database, instant, asked, tell).count(tasks)
        rows = next(iter(counted.values()))[0] if counted else column_statistics.count_rows(database, name)
        columns = {column.name: counted[column.name][1] for column in shape.columns}
        return Profile(
            shape=shape, figures=ViewStatistics(row_count=rows, exact=True, columns=columns), at=instant.taken_at
        )


def _sample(key: ViewKey, asked: Asked) -> None:
    """Have the server's estimates be of now where they are all that is asked for. Exact figures are found sooner where
    it is known which columns have few values, but that is worth no failure."""
    database, name = key.database, key.name
    if asked.approximate:
        planner_statistics.analyze_view(database, name, asked.parameters)
    elif not planner_statistics.estimate_distinct_counts(database, name):
        try:
            planner_statistics.analyze_view(database, name, asked.parameters)
        except Error as error:
            if is_connection_lost(error):
                raise


def insist_on_columns(view: ViewName, wanted: Iterable[str], known: Collection[str]) -> None:
    """Raises `UnknownColumn` for one that is not among those that the view has."""
    for column in sorted(set(wanted).difference(known)):
        raise UnknownColumn(view=view, column=column, suggestion=did_you_mean(column, known, "The nearest it has is"))
