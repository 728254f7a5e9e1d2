"""Takes the proofs of refreshed views, and verifies later whether they still hold.

A proof is taken in the transaction of a refresh, with the same snapshot as the refresh. If it still holds at a later
snapshot, a refresh would publish the rows that the view has.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from seeder.domain.read_relations import ReadRelation, ReadRelations
from seeder.domain.skip_proof import Change, RowVersions, SkipProof
from seeder.domain.view_names import ViewName
from seeder.postgres import skip_proofs
from seeder.postgres.skip_proofs import count_row_versions


class Instant(NamedTuple):
    """A snapshot, and a time before it by the history's clock."""

    as_of: datetime
    snapshot: str  # a pg_snapshot


class CountedRows(NamedTuple):
    """Row versions of a table that a run has counted."""

    since: int  # the boundary
    rows: RowVersions | None
    instant: Instant


@dataclass(kw_only=True)
class RunRowVersions:
    """Row versions of tables as a run has counted them, so that views with a common table count it once.

    Materialized views are not among them, because the run may refresh them.
    """

    since: Mapping[tuple[str, int], int]  # the oldest boundary of a proof, by database and table
    _counted: dict[tuple[str, int], CountedRows] = field(default_factory=dict)
    _locks: dict[tuple[str, int], Lock] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, proofs: Iterable[tuple[str, SkipProof]]) -> "RunRowVersions":
        """Return row versions for proofs of views, each with its database."""
        since: dict[tuple[str, int], int] = {}
        for database, proof in proofs:
            for oid in proof.inputs:
                since[database, oid] = min(proof.xmin, since.get((database, oid), proof.xmin))
        return cls(since=since)

    def count(self, database: str, table: ReadRelation, proof: SkipProof, now: Instant) -> CountedRows:
        """Return the row versions of a table, with the boundary of the proof. Count them unless this run has."""
        key = database, table.oid
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            known = self._counted.get(key)
            if known is None or known.since > proof.xmin:
                since = min(self.since.get(key, proof.xmin), proof.xmin)
                known = CountedRows(since, count_row_versions(database, table, since=since), now)
                self._counted[key] = known
        return known._replace(rows=known.rows and known.rows.as_of(proof.xmin))


class Verdict(NamedTuple):
    """Whether a proof holds."""

    change: Change | None  # None if it holds
    instant: Instant  # what was visible then is in the view if the proof holds
    materialized: tuple[int, ...] = ()  # views that the view reads, as OIDs
    reads_tables: bool = False


class ProvedView(NamedTuple):
    """A view with the proof of its last refresh."""

    database: str
    reads: ReadRelations  # by the plan: if they have changed since, the proof does not hold
    proof: SkipProof


@contextmanager
def verified(view: ProvedView, known: RunRowVersions, *, now: datetime, timeout_ms: int = 0) -> Iterator[Verdict]:
    """Verify a proof. The block runs with the snapshot of the verdict, which is not older than `now`.

    Raises database errors, such as 55P03 if a table is locked: then nothing is proved.
    """
    with skip_proofs.locked_snapshot(view.database, view.reads.tables, timeout_ms=timeout_ms):
        yield _verdict(view, known, now)


def _verdict(view: ProvedView, known: RunRowVersions, now: datetime) -> Verdict:
    database, proof = view.database, view.proof
    facts = skip_proofs.observe_facts(database, view.reads)
    oldest = this = Instant(now, facts.snapshot)
    change = proof.changed_fact(facts)
    for relation in view.reads.inputs if change is None else ():
        if relation.kind == "m":
            counted = CountedRows(proof.xmin, count_row_versions(database, relation, since=proof.xmin), this)
        else:
            counted = known.count(database, relation, proof, this)
        oldest = min(oldest, counted.instant)
        change = proof.changed_input(relation.oid, str(relation.name), counted.rows)
        if change is not None:
            break
    return Verdict(
        change, oldest, tuple(one.oid for one in view.reads.inputs if one.kind == "m"), bool(view.reads.tables)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ProofBeforeRefresh:
    """A proof whose refresh has not ended."""

    proof: SkipProof
    reads: ReadRelations
    already_read: frozenset[int]  # relations that the transaction had read before the refresh


def before_refresh(database: str, view: ViewName, locked: ReadRelations) -> ProofBeforeRefresh | None:
    """Observe what a refresh in this `locked_snapshot` will read.

    None if it cannot be proved, such as if the view reads a table that was not locked.
    """
    reads = skip_proofs.find_read_relations(database, [view]).get(view)
    if reads is None or not {one.oid for one in reads.tables} <= locked.oids:
        return None
    facts = skip_proofs.observe_facts(database, reads)
    inputs: dict[int, RowVersions] = {}
    for relation in reads.inputs:
        rows = count_row_versions(database, relation, since=facts.xmin)
        if rows is None:
            return None
        inputs[relation.oid] = rows
    already_read = skip_proofs.read_relations(database)
    return ProofBeforeRefresh(proof=replace(facts, inputs=inputs), reads=reads, already_read=already_read)


def after_refresh(database: str, view: ViewName, before: ProofBeforeRefresh) -> SkipProof | None:
    """Return the proof of a refresh, in its transaction.

    None if the refresh has read a relation that was not observed, such as a partition that was attached meanwhile.
    """
    read = skip_proofs.read_relations(database) - before.already_read
    if not read <= before.reads.oids:
        return None
    storage = skip_proofs.storage_of(database, view)
    return None if storage is None else replace(before.proof, view=storage)
