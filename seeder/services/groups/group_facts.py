"""Reads what decides if and how the members of a group can be refreshed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seeder.domain.consistent_groups import MemberFacts
from seeder.domain.manifests import ViewKey, ViewSpec
from seeder.domain.plan import ViewInputs
from seeder.domain.view_names import ViewName
from seeder.postgres import group_queries, input_locks
from seeder.postgres.catalog import find_used_objects


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupFacts:
    """The members of a group, and the tables that they read."""

    states: Mapping[ViewName, group_queries.MemberState]  # of those that exist
    inputs: Mapping[ViewName, ViewInputs]
    tables: Mapping[int, group_queries.InputTable]  # also the declared ones

    def of_members(self, specs: Iterable[ViewSpec]) -> Mapping[ViewKey, MemberFacts]:
        return {spec.key: self._of_member(spec) for spec in specs}

    def _of_member(self, spec: ViewSpec) -> MemberFacts:
        state, inputs = self.states.get(spec.key.name), self.inputs[spec.key.name]
        tables = (self.tables[oid] for oid in inputs.tables if oid in self.tables)
        return MemberFacts(
            is_filled=state is not None and state.is_filled,
            has_unique_index=state is not None and state.has_unique_index,
            unlockable_inputs=tuple(str(table.name) for table in tables if not table.may_lock),
            hides_inputs=inputs.calls_opaque_functions and spec.declaration is None,
        )


def read_group_facts(database: str, specs: Sequence[ViewSpec]) -> GroupFacts:
    """Read the facts about members. One that does not exist has no inputs, unless a plain view stands for it."""
    names = [spec.key.name for spec in specs]
    states = group_queries.member_states(database, names)
    used = find_used_objects(database, names, kinds=("m", "v"))
    inputs = {name: input_locks.inputs_of(objects) for name, objects in used.items()}
    declared = {name for spec in specs if (declaration := spec.declaration) for name in declaration.views}
    oids = {oid for one in inputs.values() for oid in one.tables}
    return GroupFacts(states=states, inputs=inputs, tables=group_queries.input_tables(database, oids, declared))
