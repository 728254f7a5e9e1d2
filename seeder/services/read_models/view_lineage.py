"""The lineage of a view in both directions, from the catalog: tables, the views that it reads, and its readers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from seeder.domain.as_of import TableAsOf
from seeder.domain.freshness.data_age import NEVER_RECORDED, DataAge
from seeder.domain.freshness.states import ViewFacts
from seeder.domain.lineage_levels import levels_of, table_levels
from seeder.domain.manifests import ViewKey, ViewSpec
from seeder.domain.view_names import ViewName
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.read_models.view_reader import Viewer, ViewReader

_MAX_PER_LEVEL = 8
_MAX_VIEWS = 400  # whose manifests are read


@dataclass(frozen=True, kw_only=True, slots=True)
class LineageNode:
    """A table or a view."""

    name: ViewName
    level: int  # 0 is the view itself, below is what it reads
    is_table: bool = False
    is_listed: bool = True  # an enabled manifest has the view
    facts: ViewFacts = field(default_factory=ViewFacts)
    age: DataAge = NEVER_RECORDED  # of a view
    load: TableAsOf | None = None  # the last load of a table that the view contains


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewLineage:
    """The tables and views around a view. What is left out is counted."""

    nodes: Sequence[LineageNode]  # by level, those that need attention first
    lines: Sequence[tuple[ViewName, ViewName]]  # what is read, and its reader
    left_out: Mapping[int, int]  # tables and views that a level has no room for
    not_drawn: int  # views beyond the last level, and of a wide lineage
    hidden: int  # views of agencies that the user may not see
    calls_opaque_functions: bool  # so it may read more


def read_lineage(view: ViewKey, viewer: Viewer, loads: Sequence[TableAsOf]) -> ViewLineage:
    """Return the lineage. `loads` are those that the view contains.

    Takes a constant number of statements, and two for each level of views on views. Raises `DatabaseError`.
    """
    with translate_database_errors(view.database):
        reader = ViewReader(view.name, viewer, view.database)
        related = reader.related
    levels = levels_of(view.name, related.reads_of)
    near = sorted(levels, key=lambda name: (abs(levels[name]), name))[:_MAX_VIEWS]
    specs = reader.read_specs({*near})
    shown = {name: levels[name] for name in near if name == view.name or _is_visible(name, specs, viewer)}
    tables = table_levels(shown, related.tables_of)
    kept, left_out = _keep_room(shown, tables, reader.failing(shown.keys()))
    views = kept.keys() & shown.keys()
    facts, ages, by_table = reader.facts(views), reader.ages(views), {load.table: load for load in loads}
    reads: Mapping[ViewName, Set[ViewName]] = {
        name: related.reads_of.get(name, set()) | related.tables_of.get(name, set()) for name in views
    }
    every = {*related.reads_of, *(name for one in related.reads_of.values() for name in one)}
    return ViewLineage(
        nodes=[
            LineageNode(
                name=name,
                level=level,
                is_table=name not in views,
                is_listed=name in specs,
                facts=facts.get(name, ViewFacts()),
                age=ages.get(name, NEVER_RECORDED),
                load=None if name in views else by_table.get(str(name)),
            )
            for name, level in kept.items()
        ],
        lines=[(read, name) for name in sorted(views) for read in sorted(reads[name] & kept.keys())],
        left_out=left_out,
        not_drawn=len(every | {view.name}) - len(near),
        hidden=len(near) - len(shown),
        calls_opaque_functions=related.calls_opaque_functions,
    )


def _is_visible(name: ViewName, specs: Mapping[ViewName, ViewSpec], viewer: Viewer) -> bool:
    return viewer.sees(specs[name].manifests if name in specs else ())


def _keep_room(
    views: Mapping[ViewName, int], tables: Mapping[ViewName, int], failing: Set[ViewName]
) -> tuple[Mapping[ViewName, int], Mapping[int, int]]:
    """Return the first tables and views of each level, failing ones first, and the number of the others."""
    by_level = defaultdict[int, list[ViewName]](list)
    for name in sorted(views, key=lambda one: (one not in failing, one)):
        by_level[views[name]].append(name)
    for name in sorted(tables):
        by_level[tables[name]].append(name)
    kept = {name: level for level in sorted(by_level) for name in by_level[level][:_MAX_PER_LEVEL]}
    left_out = {level: len(found) - _MAX_PER_LEVEL for level, found in by_level.items() if len(found) > _MAX_PER_LEVEL}
    return kept, left_out
