"""Proof that a refresh would publish the rows that its view already has.

A proof holds what a closed query depends on, as of one snapshot: the row versions of its inputs, the catalog, the
settings of the session, and the view's own storage. If all of it is the same at a later snapshot, so is the result.

Rows that a snapshot sees and whose transaction had ended before it can only become fewer. So their number is enough:
equal numbers are equal rows. For each younger transaction, the rows are counted by themselves; a transaction that was
open at the first snapshot is not among them, so it shows as soon as it commits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from seeder.texts import Text

_FORM = 1  # of the stored proof
_XIDS = 2**32  # transaction ids before they are used again

# Ages of transaction ids are signed. The rest is for transactions during the proof.
_MAX_TRANSACTIONS = 2**31 - 2**20


class ChangedFact(StrEnum):
    """What differs between a proof and a later observation."""

    SERVER = "server"
    TRANSACTIONS = "transactions"
    VIEW = "view"
    CATALOG = "catalog"
    ENVIRONMENT = "environment"
    INPUT = "input"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The first difference between a proof and a later observation."""

    fact: ChangedFact
    relation: str | None = None  # the input

    def __str__(self) -> str:
        return Text("{table} changed", table=self.relation) if self.relation else _TEXTS[self.fact]


_TEXTS = {
    ChangedFact.SERVER: Text("the server was upgraded, replaced or restored"),
    ChangedFact.TRANSACTIONS: Text("the proof is too many transactions old"),
    ChangedFact.VIEW: Text("the view is not as the last refresh left it"),
    ChangedFact.CATALOG: Text("a definition of the view or its inputs changed"),
    ChangedFact.ENVIRONMENT: Text("settings, or functions, types or extensions of the database changed"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RowVersions:
    """The visible rows of an input, by the transactions that wrote them."""

    name: str
    old: int  # rows of transactions before the boundary
    young: Mapping[int, int]  # rows of each younger transaction, by its 32-bit id

    def as_of(self, boundary: int) -> Self:
        """Return the same rows with a later boundary."""
        young = {xid: rows for xid, rows in self.young.items() if (xid - boundary) % _XIDS < _XIDS // 2}
        return type(self)(name=self.name, old=self.old + sum(self.young.values()) - sum(young.values()), young=young)


@dataclass(frozen=True, kw_only=True, slots=True)
class SkipProof:
    """What the contents of a view depend on, as of one snapshot."""

    snapshot: str  # a pg_snapshot, with 64-bit transaction ids
    server: str  # its version, identity and timeline
    view: str  # OID, file and version of the materialized view
    catalog: str  # hash of the definitions of the view and its inputs
    environment: str  # hash of settings, and of functions and types of the database
    inputs: Mapping[int, RowVersions]  # by OID; the boundary is `xmin`

    @property
    def xmin(self) -> int:
        """The first transaction that had not ended."""
        return int(self.snapshot.split(":")[0])

    @property
    def xmax(self) -> int:
        """The first transaction that had not started."""
        return int(self.snapshot.split(":")[1])

    def changed_fact(self, later: "SkipProof") -> Change | None:
        """Return the first difference to a later observation, apart from the rows of the inputs."""
        if self.server != later.server:
            return Change(fact=ChangedFact.SERVER)
        if later.xmin < self.xmin or later.xmax - self.xmin > _MAX_TRANSACTIONS:
            return Change(fact=ChangedFact.TRANSACTIONS)
        if self.view != later.view:
            return Change(fact=ChangedFact.VIEW)
        if self.catalog != later.catalog:
            return Change(fact=ChangedFact.CATALOG)
        if self.environment != later.environment:
            return Change(fact=ChangedFact.ENVIRONMENT)
        return None

    def changed_input(self, oid: int, name: str, rows: RowVersions | None) -> Change | None:
        """Return whether the rows of an input differ, which have the boundary of this proof. None: uncountable."""
        before = self.inputs.get(oid)
        if before is None or rows is None or (before.old, before.young) != (rows.old, rows.young):
            return Change(fact=ChangedFact.INPUT, relation=name)
        return None

    def as_document(self) -> dict[str, Any]:
        """Return the proof as JSON has it."""
        return {
            "form": _FORM,
            "snapshot": self.snapshot,
            "server": self.server,
            "view": self.view,
            "catalog": self.catalog,
            "environment": self.environment,
            "inputs": {
                str(oid): {"name": one.name, "old": one.old, "young": {str(xid): n for xid, n in one.young.items()}}
                for oid, one in self.inputs.items()
            },
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self | None:
        """Return a stored proof, or None if another version of seeder has stored it."""
        if document.get("form") != _FORM:
            return None
        inputs = {
            int(oid): RowVersions(
                name=one["name"], old=one["old"], young={int(xid): rows for xid, rows in one["young"].items()}
            )
            for oid, one in document["inputs"].items()
        }
        facts = {name: document[name] for name in ("snapshot", "server", "view", "catalog", "environment")}
        return cls(**facts, inputs=inputs)
