"""The guards of skipped refreshes, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

PROOFS = "tests/integration/skipping/test_skip_proofs.py"
RUNS = "tests/integration/skipping/test_skipped_refreshes.py"
DECISION = "tests/unit/domain/test_skip_decision.py"

SKIPS = [
    Mutant(
        name="skip: rows of each young transaction count",
        file="seeder/domain/skip_proof.py",
        old="(before.old, before.young) != (rows.old, rows.young)",
        new="before.old + sum(before.young.values()) != rows.old + sum(rows.young.values())",
        tests=(PROOFS,),
    ),
    Mutant(
        name="skip: old rows count",
        file="seeder/domain/skip_proof.py",
        old="(before.old, before.young) != (rows.old, rows.young)",
        new="before.young != rows.young",
        tests=(PROOFS,),
    ),
    Mutant(
        name="skip: definitions count",
        file="seeder/domain/skip_proof.py",
        old="if self.catalog != later.catalog:",
        new="if False:",
        tests=(PROOFS,),
    ),
    Mutant(
        name="skip: settings and functions count",
        file="seeder/domain/skip_proof.py",
        old="if self.environment != later.environment:",
        new="if False:",
        tests=(PROOFS,),
    ),
    Mutant(
        name="skip: the view's own version counts",
        file="seeder/domain/skip_proof.py",
        old="if self.view != later.view:",
        new="if False:",
        tests=(PROOFS, RUNS),
    ),
    Mutant(
        name="skip: a proof of reused transaction ids does not hold",
        file="seeder/domain/skip_proof.py",
        old="later.xmin < self.xmin or later.xmax - self.xmin > _MAX_TRANSACTIONS",
        new="False",
        tests=(DECISION,),
    ),
    Mutant(
        name="skip: what was attached during the refresh is no proof",
        file="seeder/services/run/skip_proving.py",
        old="if not read <= before.reads.oids:",
        new="if False:",
        tests=(PROOFS,),
    ),
    Mutant(
        name="skip: what the plan did not lock is no proof",
        file="seeder/services/run/skip_proving.py",
        old="if reads is None or not {one.oid for one in reads.tables} <= locked.oids:",
        new="if reads is None:",
        tests=(PROOFS,),
    ),
    Mutant(
        name="skip: a forced request in the queue skips nothing",
        file="seeder/services/queue/part_execution.py",
        old="is_forced=part.is_forced",
        new="is_forced=False",
        tests=(RUNS,),
    ),
    Mutant(
        name="skip: a forced request forces the one that it joins",
        file="seeder/services/queue/part_rows.py",
        old='**({"is_forced": True} if is_forced else {})',
        new="",
        tests=("tests/acceptance/test_api_refresh_views.py",),
    ),
    Mutant(
        name="skip: the view is as the proof has it when it is locked",
        file="seeder/services/run/skipping.py",
        old="skip if skip_proofs.storage_of(self._database, self._name) == skip.proof.view else None",
        new="skip",
        tests=(RUNS,),
    ),
    Mutant(
        name="skip: an old refresh is repeated",
        file="seeder/domain/skip_decision.py",
        old="if now - past.refreshed_at >= MAX_AGE:",
        new="if False:",
        tests=(RUNS, DECISION),
    ),
]
