"""What depends on a loaded table: materialized views, in layers."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Lineage:
    """The views that depend on a table, by what they read."""

    table: str
    layers: Sequence[Sequence[str]] = ()  # names; a view reads views of earlier layers
    reads: Mapping[str, Set[str]] = field(default_factory=dict)  # by view: the table, or other views
    undetermined: Sequence[str] = ()  # they call functions with text bodies, so their dependencies are unknown
    hidden: int = 0  # views that the user may not see

    @property
    def views(self) -> Sequence[str]:
        return [view for layer in self.layers for view in layer]


def layers_of(reads: Mapping[str, Set[str]]) -> Sequence[Sequence[str]]:
    """Return the views in layers. Each reads views of earlier layers only."""
    layers, left = list[Sequence[str]](), dict(reads)
    while left:
        layer = sorted(view for view, used in left.items() if not used & (left.keys() - {view}))
        if not layer:  # a cycle, which PostgreSQL does not allow
            layer = sorted(left)
        layers.append(layer)
        for view in layer:
            del left[view]
    return layers
