"""Random interleavings of writers, definitions and refreshes that try to make a skip leave wrong rows."""

import random
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import Error
from psycopg.pq import TransactionStatus

from seeder.domain.skip_proof import ChangedFact, SkipProof
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, skip_proofs, sqlstates, view_statements
from seeder.services.run import skip_proving
from seeder.services.run.skip_proving import ProvedView, RunRowVersions
from tests.conftest import another_session, server_major_version, sql
from tests.faults.skip_soak_statements import BUILD, DEFINITIONS, ROWS, VIRTUAL

WRITERS = 4


class Writer:
    """A session with a random state: outside, inside a transaction, or inside savepoints."""

    def __init__(self, session: "psycopg.Connection[Any]", chosen: random.Random) -> None:
        self._session, self._random, self._savepoints = session, chosen, 0
        session.execute("SET lock_timeout = '2ms'; SET search_path = s; SET client_min_messages = error")

    @property
    def is_idle(self) -> bool:
        return self._session.info.transaction_status is TransactionStatus.IDLE

    def act(self, prepared: list[str]) -> None:
        """Do one random thing. An error ends the transaction, or returns to the last savepoint."""
        if self.is_idle:
            self._savepoints = 0
        try:
            self._act(prepared)
        except psycopg.Error:
            if not self.is_idle:
                self.execute(f"ROLLBACK TO s{self._savepoints}" if self._savepoints else "ROLLBACK")

    def _act(self, prepared: list[str]) -> None:
        kind = self._random.random()
        if kind < 0.45:
            self._write(self._random.choice(ROWS[self._random.choice("tttppmmdde")]))
        elif kind < 0.56:
            self._begin()
        elif kind < 0.73:
            self.execute("COMMIT")
        elif kind < 0.79:
            self._roll_back()
        elif kind < 0.86:
            self._prepare(prepared)
        elif kind < 0.97:
            self._write(self._random.choice(DEFINITIONS))
        elif self.is_idle:
            self._write("BEGIN; SAVEPOINT a; INSERT INTO t (g, v) VALUES ({0}, {1}); RELEASE a; COMMIT")

    def _begin(self) -> None:
        if self.is_idle:
            self.execute("BEGIN" + self._random.choice(["", " ISOLATION LEVEL REPEATABLE READ"]))
        elif self._savepoints < 3:
            self.execute(f"SAVEPOINT s{self._savepoints + 1}")
            self._savepoints += 1

    def _roll_back(self) -> None:
        if self._savepoints:
            self.execute(self._random.choice(["ROLLBACK TO s{0}", "RELEASE s{0}"]).format(self._savepoints))
            self._savepoints -= 1
        else:
            self.execute("ROLLBACK")

    def _prepare(self, prepared: list[str]) -> None:
        if not self.is_idle and len(prepared) < 3:
            prepared.append(f"g{self._random.random()}")
            try:
                self.execute(f"PREPARE TRANSACTION '{prepared[-1]}'")
            except psycopg.Error:
                prepared.pop()
                raise
        elif self.is_idle and prepared:
            name = prepared.pop(self._random.randrange(len(prepared)))
            self.execute(f"{self._random.choice(['COMMIT', 'COMMIT', 'ROLLBACK'])} PREPARED '{name}'")

    def _write(self, statement: str) -> None:
        self.execute(statement.format(self._random.randrange(4), self._random.randrange(20)))

    def execute(self, statement: str) -> None:
        self._session.execute(statement.encode())


class SkipSoak:
    """Verifies and takes proofs while writers act between the statements of both."""

    def __init__(self, seed: int, stack: ExitStack, patch: pytest.MonkeyPatch) -> None:
        self._random = random.Random(seed)  # noqa: S311  # a fixed sequence, not used for security
        self.counts, self.false_skips = Counter[str](), list[str]()
        sql(BUILD)
        names = ["mv1", "mv2", "mv3", "mv4", "mv5", "mv6"]
        if server_major_version() >= 18:
            sql(VIRTUAL)
            names.append("mv7")
        self.views = [ViewName(schema="s", name=name) for name in names]
        self._proofs: dict[ViewName, SkipProof] = {}
        self._planned = skip_proofs.find_read_relations("default", self.views)
        self._prepared = list[str]()
        self._are_writers_quiet = False
        self._writers = [Writer(stack.enter_context(another_session()), self._random) for _ in range(WRITERS)]
        for name in ("observe_facts", "count_row_versions", "read_relations", "storage_of"):
            patch.setattr(skip_proofs, name, self._with_writers(getattr(skip_proofs, name)))
        patch.setattr(skip_proofs, "SHORT_LOCK_TIMEOUT", "SET LOCAL lock_timeout = '2ms';")
        patch.setattr(skip_proving, "count_row_versions", skip_proofs.count_row_versions)

    def _with_writers(self, function: Any) -> Any:
        def called(*arguments: Any, **options: Any) -> Any:
            self._let_writers_act((0, 0, 0, 2))
            return function(*arguments, **options)

        return called

    def _let_writers_act(self, numbers: tuple[int, ...]) -> None:
        if self._are_writers_quiet:
            return
        for _ in range(self._random.choice(numbers)):
            self._random.choice(self._writers).act(self._prepared)

    def step(self) -> None:
        """Let writers act, then verify a proof, and often refresh the view if it does not hold."""
        self._let_writers_act((0, 1, 2))
        view = self._random.choice(self.views)
        if self._random.random() < 0.3:
            self._planned = skip_proofs.find_read_relations("default", self.views)
        if self._random.random() < 0.05:
            sql(f"SET TimeZone = '{self._random.choice(['UTC', 'Asia/Tokyo'])}'")
        skips = False
        with suppress(Error):
            skips = self._verify(view)
        if view not in self._proofs or self._random.random() < (0.1 if skips else 0.6):
            self._proofs.pop(view, None)
            with suppress(Error):
                self._refresh(view)
        sessions.discard_if_broken("default")

    def _verify(self, view: ViewName) -> bool:
        proof = self._proofs.get(view)
        if proof is None:
            return False
        proved, known = ProvedView("default", self._planned[view], proof), RunRowVersions.of([("default", proof)])
        with skip_proving.verified(proved, known, now=datetime.now(UTC)) as verdict:
            is_right = self._is_right(view)
        if verdict.change is None and skip_proofs.storage_of("default", view) != proof.view:
            self.counts["refreshed meanwhile"] += 1
            return False
        self.counts[
            f"{'skipped' if verdict.change is None else 'changed'}, rows {'right' if is_right else 'wrong'}"
        ] += 1
        if verdict.change is None and not is_right and not self._has_new_definition(proved):
            self.false_skips.append(f"{view}: {proof.as_document()}")
        return verdict.change is None

    def _has_new_definition(self, proved: ProvedView) -> bool:
        """Return whether a definition was changed after the snapshot of the verification.

        Rows are compared as of that snapshot, but definitions as of now. The next verification has to find it.
        """
        self._are_writers_quiet = True
        try:
            known = RunRowVersions.of([("default", proved.proof)])
            with skip_proving.verified(proved, known, now=datetime.now(UTC)) as verdict:
                change = verdict.change
        except Error as error:  # a run refreshes the view then
            return sqlstates.sqlstate(error) == sqlstates.UNDEFINED_TABLE
        finally:
            self._are_writers_quiet = False
        return change is not None and change.fact in {ChangedFact.CATALOG, ChangedFact.ENVIRONMENT}

    def _is_right(self, view: ViewName) -> bool:
        """Return whether the view has the rows of its query, as of the current snapshot."""
        [(query,)] = sql(f"SELECT rtrim(pg_get_viewdef('{view}'::regclass), ';')")  # tables are renamed
        differences = f"(TABLE {view} EXCEPT ALL ({query})) UNION ALL (({query}) EXCEPT ALL TABLE {view})"
        return sql(f"SELECT NOT EXISTS ({differences})") == [(True,)]

    def _refresh(self, view: ViewName) -> None:
        reads = self._planned[view]
        with skip_proofs.locked_snapshot("default", reads.tables):
            before = skip_proving.before_refresh("default", view, reads)
            self._let_writers_act((0, 1, 3))
            concurrently = self._random.random() < 0.5 and view.name != "mv4"
            sessions.query("default", view_statements.refresh_materialized_view(view, concurrently=concurrently))
            proof = skip_proving.after_refresh("default", view, before) if before else None
            self._let_writers_act((0, 1))
        self.counts["proved" if proof else "not provable"] += 1
        if proof:
            self._proofs[view] = proof

    def tidy(self) -> None:
        """End all transactions, and keep the tables small."""
        for writer in self._writers:
            for statement in ("ROLLBACK", "RESET ALL", "SET lock_timeout = '2ms'; SET search_path = s"):
                writer.execute(statement)
        for name in self._prepared:
            sql(f"ROLLBACK PREPARED '{name}'")
        self._prepared.clear()
        for statement in (
            "DELETE FROM s.t WHERE id NOT IN (SELECT id FROM s.t ORDER BY id LIMIT 20)",
            "DELETE FROM s.m WHERE id NOT IN (SELECT id FROM s.m LIMIT 10)",
            "DELETE FROM s.p WHERE x > 50",
            "DELETE FROM s.e WHERE k > 6",
            "INSERT INTO s.e SELECT i, '2026-01-01Z' FROM generate_series(1, 6) AS i ON CONFLICT DO NOTHING",
            "INSERT INTO s.d SELECT i, 'l' || i FROM generate_series(0, 3) AS i ON CONFLICT DO NOTHING",
            "VACUUM pg_class, pg_attribute, pg_type, pg_depend, pg_index, pg_statistic",
        ):
            sql(statement)
