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
_MAX_VIEWS = 400  # whose manifests and states are read


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
    further: int  # views beyond the last level
    hidden: int  # views of agencies that the user may not see
    calls_opaque_functions: bool  # so it may read more

    @property
    def views(self) -> Sequence[LineageNode]:
        return [node for node in self.nodes if not node.is_table and node.level]


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
    shown = [name for name in near if name == view.name or _is_visible(name, specs, viewer)]
    facts, ages = reader.facts({*shown}), reader.ages({*shown})
    nodes = [
        LineageNode(
            name=name,
            level=levels[name],
            is_listed=name in specs,
            facts=facts[name],
            age=ages.get(name, NEVER_RECORDED),
        )
        for name in shown
    ]
    by_name = {load.table: load for load in loads}
    tables = table_levels({name: levels[name] for name in shown}, related.tables_of)
    nodes += [
        LineageNode(name=name, level=level, is_table=True, load=by_name.get(str(name)))
        for name, level in tables.items()
    ]
    kept, left_out = _keep_room(nodes)
    names = {node.name for node in kept}
    reads: Mapping[ViewName, Set[ViewName]] = {
        name: related.reads_of.get(name, set()) | related.tables_of.get(name, set()) for name in names
    }
    every = {*related.reads_of, *(name for one in related.reads_of.values() for name in one)}
    return ViewLineage(
        nodes=kept,
        lines=[(read, name) for name in sorted(names) for read in sorted(reads[name] & names)],
        left_out=left_out,
        further=len(every) - len(near),
        hidden=len(near) - len(shown),
        calls_opaque_functions=related.calls_opaque_functions,
    )


def _is_visible(name: ViewName, specs: Mapping[ViewName, ViewSpec], viewer: Viewer) -> bool:
    return viewer.sees(specs[name].manifests if name in specs else ())


def _keep_room(nodes: Sequence[LineageNode]) -> tuple[Sequence[LineageNode], Mapping[int, int]]:
    """Return the first nodes of each level, and the number of the others."""
    by_level = defaultdict[int, list[LineageNode]](list)
    for node in sorted(nodes, key=_attention):
        by_level[node.level].append(node)
    kept = [node for level in sorted(by_level) for node in by_level[level][:_MAX_PER_LEVEL]]
    left_out = {level: len(found) - _MAX_PER_LEVEL for level, found in by_level.items() if len(found) > _MAX_PER_LEVEL}
    return kept, left_out


def _attention(node: LineageNode) -> tuple[bool, bool, ViewName]:
    """Return a sort key: failing views first, then other views, then tables."""
    return not node.facts.failing, node.is_table, node.name
