"""How far each view is from the one in the middle of a lineage: to the left what it reads, to the right its readers."""

from collections.abc import Iterable, Mapping, Set

from seeder.domain.view_names import ViewName

MAX_LEVEL = 3  # on either side


def levels_of(middle: ViewName, reads_of: Mapping[ViewName, Set[ViewName]]) -> Mapping[ViewName, int]:
    """Return the level of each view within reach: -1 for one that only the middle reads, 1 for one that only reads it.

    A view on the way to another one is nearer to the middle. Views beyond the last level have none.
    """
    readers_of: dict[ViewName, set[ViewName]] = {}
    for reader, reads in reads_of.items():
        for name in reads:
            readers_of.setdefault(name, set()).add(reader)
    left = _distances(middle, reads_of)
    right = _distances(middle, readers_of)
    return {name: -level for name, level in left.items()} | right | {middle: 0}


def _distances(middle: ViewName, neighbours: Mapping[ViewName, Set[ViewName]]) -> dict[ViewName, int]:
    """Return the longest ways of at most `MAX_LEVEL` steps. Declared dependencies can have cycles, which end there."""
    found, layer = dict[ViewName, int](), {middle}
    for level in range(1, MAX_LEVEL + 1):
        layer = {name for one in layer for name in neighbours.get(one, ())} - {middle}
        found |= dict.fromkeys(layer, level)
    return found


def table_levels(
    levels: Mapping[ViewName, int], tables_of: Mapping[ViewName, Iterable[ViewName]]
) -> Mapping[ViewName, int]:
    """Return the level of each table: to the left of every view that uses it."""
    found: dict[ViewName, int] = {}
    for reader, tables in tables_of.items():
        for table in tables if reader in levels else ():
            found[table] = min(found.get(table, 0), levels[reader] - 1)
    return found
