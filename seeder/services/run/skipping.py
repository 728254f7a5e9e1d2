"""Skips the refresh of a view if its proof holds, or takes the proof of its refresh.

A proof is verified before the transaction of the refresh, in one of its own. Then the view is locked, and the skip
counts only if the view is still as the proof has it.

A proof is taken in the transaction of a refresh, which then has one snapshot.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.conf import Settings
from seeder.domain import lock_keys
from seeder.domain.human_format import format_names
from seeder.domain.outcomes import Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedView, RefreshPlan, ViewInputs
from seeder.domain.read_relations import ReadRelations
from seeder.domain.skip_decision import PastRefresh, SkipAction
from seeder.domain.skip_proof import SkipProof
from seeder.postgres import advisory_locks, sessions, skip_proofs
from seeder.postgres.row_counts import ViewBeforeRefresh
from seeder.postgres.sqlstates import first_line
from seeder.postgres.transactions import BatchedTransaction
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run import skip_proving, snapshot_rows
from seeder.services.run.data_as_of import DataAsOf
from seeder.services.run.skip_proving import ProofBeforeRefresh, ProvedView, RunRowVersions, Verdict
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True)
class RunSkipping:
    """The skips of one run."""

    settings: Settings
    as_of: DataAsOf
    known: RunRowVersions = field(default_factory=lambda: RunRowVersions(since={}))

    @classmethod
    def of(cls, plan: RefreshPlan, settings: Settings, as_of: DataAsOf) -> "RunSkipping":
        proofs = [
            (view.key.database, view.skip_plan.past.proof)
            for view in plan.views
            if view.skip_plan and view.skip_plan.past and view.skip_plan.past.proof
        ]
        return cls(settings=settings, as_of=as_of, known=RunRowVersions.of(proofs))


class ViewSkipping:
    """The skip of one view, or the proof of its refresh."""

    def __init__(
        self, skipping: RunSkipping, history: RunHistoryWriter, view: PlannedView, context: StartContext
    ) -> None:
        self._skipping, self._history, self._view, self._context = skipping, history, view, context
        self._database, self._name = view.key.database, view.key.name
        self._plan = view.skip_plan
        self._reads = self._plan.reads if self._plan else None  # if they have changed since the plan, nothing is proved
        self.takes_proof = self._plan is not None and self._plan.action is SkipAction.PROVE
        self._reason = self._plan.reason if self._plan and self._reads else None
        self._is_verified = False
        self._skip: RefreshResult | None = None
        self._before: ProofBeforeRefresh | None = None
        self.begun_at: datetime | None = None  # before the snapshot of a transaction that takes a proof

    # Verifying a proof

    @property
    def can_verify(self) -> bool:
        """Whether the view has a proof that was not verified yet."""
        return self._plan is not None and self._plan.action is SkipAction.VERIFY and not self._is_verified

    def verify(self) -> None:
        """Verify the proof of the view. An error proves nothing, so the view is refreshed."""
        self._is_verified = True
        past = self._plan.past if self._plan else None
        if past is None or past.proof is None or self._reads is None:
            return
        if changed := self._context.changed_dependencies:
            view = str(changed[0].name)
            self._reason = Text("Not skipped: this run has refreshed {view}, which it reads.", view=view)
            return
        try:
            self._verify(past, past.proof, self._reads)
        except Error as error:
            sessions.discard_if_broken(self._database)
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            self._reason = Text("Not skipped: it could not be proved ({error}).", error=first_line(error))
            self._skip = None

    def _verify(self, past: PastRefresh, proof: SkipProof, reads: ReadRelations) -> None:
        now = sessions.server_time(DEFAULT_DB_ALIAS)
        timeout = self._skipping.settings.statement_timeout_ms
        proved = ProvedView(self._database, reads, proof)
        with skip_proving.verified(proved, self._skipping.known, now=now, timeout_ms=timeout) as verdict:
            if verdict.change is not None:
                self._reason = Text("Not skipped: {change}.", change=str(verdict.change))
                return
            self._skip = self._skipped(past, proof, verdict)
        self._skip = replace(self._skip, finished_at=sessions.server_time(DEFAULT_DB_ALIAS))

    def _skipped(self, past: PastRefresh, proof: SkipProof, verdict: Verdict) -> RefreshResult:
        data = self._skipping.as_of.before_refresh(
            self._view, ViewInputs(materialized=verdict.materialized), verdict.instant.as_of
        )
        names = sorted(one.name for one in proof.inputs.values())
        self._reason = Text(
            "Skipped: a refresh would publish the rows of {refreshed_at:%Y-%m-%d %H:%M:%S %Z}, because the row versions"
            " of its inputs ({inputs}), definitions, settings and the view are unchanged.",
            refreshed_at=past.refreshed_at,
            inputs=format_names(names, "input") if names else Text("it reads nothing"),
        )
        return RefreshResult(
            outcome=Outcome.SKIPPED,
            started_at=verdict.instant.as_of,
            finished_at=verdict.instant.as_of,
            snapshot=verdict.instant.snapshot if verdict.reads_tables else None,
            rows=past.rows,
            size_bytes=past.size_bytes,
            data=self._skipping.as_of.after_refresh(self._view, data),
            proof=proof,
            skip_reason=self._reason,
        )

    def skipped_result(self) -> RefreshResult | None:
        """Return the result of a proved skip, in a transaction that has locked the view.

        None if the view was refreshed since the proof was verified.
        """
        skip = self._skip
        if skip is None or skip.proof is None:
            return None
        return skip if skip_proofs.storage_of(self._database, self._name) == skip.proof.view else None

    # Taking a proof

    @contextmanager
    def transaction(self) -> Iterator[BatchedTransaction]:
        """Provide the transaction of the refresh, with one snapshot if a proof is taken.

        The view is then locked for the session first: a snapshot from before a wait for the lock could be older than
        the refresh by another run that was waited for.
        """
        key = lock_keys.of_view(self._name)
        if self.takes_proof and not advisory_locks.try_lock_for_session(self._database, key):
            self.takes_proof = False
        self.begun_at = None
        if not self.takes_proof:
            with BatchedTransaction(self._database) as transaction:
                yield transaction
            return
        try:
            self._history.mark_running([self._view.spec])  # otherwise its rows would be changed after the snapshot
            self.begun_at = sessions.server_time(DEFAULT_DB_ALIAS)
            begin = skip_proofs.begin_locked_snapshot(self._reads.tables if self._reads else ())
            statement = begin.as_string().replace("%", "%%")
            with BatchedTransaction(self._database, begin_statement=statement) as transaction:
                yield transaction
        finally:
            with suppress(Error):  # a lost session has no lock any more
                advisory_locks.unlock(self._database, key)

    def before_refresh(self) -> None:
        """Observe what the refresh will read, if a proof is taken. The last step before the refresh."""
        self._before = None
        if self.takes_proof and self._reads is not None:
            self._before = skip_proving.before_refresh(self._database, self._name, self._reads)

    def after_refresh(self, result: RefreshResult) -> RefreshResult:
        """Return the result of the refresh with its proof, in its transaction, and with the reason of the refresh."""
        proof = skip_proving.after_refresh(self._database, self._name, self._before) if self._before else None
        return replace(result, proof=proof, skip_reason=self._reason)

    def record_success(self, result: RefreshResult, before: ViewBeforeRefresh) -> RefreshResult:
        """Close the rows of the view, in the transaction of its refresh."""
        spec = self._view.spec
        if self.takes_proof:
            return snapshot_rows.record_success(self._history, spec, result, before)
        return self._history.record_success(spec, result, before=before)
