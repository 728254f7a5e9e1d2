"""What a materialized view reads, through plain views and with partitions and inheritance children."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from seeder.domain.view_names import ViewName


class ReadRelation(NamedTuple):
    """A relation that a view reads."""

    oid: int
    kind: str  # relkind, or view for the view itself
    name: ViewName
    is_child: bool  # another relation of the view contains its rows
    written: int  # rows, by the statistics, which can miss some


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadRelations:
    """A materialized view, and all relations that it reads."""

    view_oid: int
    relations: tuple[ReadRelation, ...]  # the view among them

    @property
    def oids(self) -> frozenset[int]:
        return frozenset(one.oid for one in self.relations)

    @property
    def tables(self) -> tuple[ReadRelation, ...]:
        return tuple(one for one in self.relations if one.kind in {"r", "p"})

    @property
    def activity(self) -> Mapping[int, int]:
        """The written rows of each table by the statistics."""
        return {one.oid: one.written for one in self.relations if one.kind == "r"}

    @property
    def inputs(self) -> tuple[ReadRelation, ...]:
        """The relations whose rows are observed, each row once."""
        return tuple(one for one in self.relations if one.kind in {"r", "p", "m"} and not one.is_child)
