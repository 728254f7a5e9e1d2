"""Random interleavings of writers, definitions and refreshes that try to make a skip leave wrong rows."""

import random
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import Error, connections
from psycopg.pq import TransactionStatus

from seeder.domain.skip_proof import SkipProof
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, skip_proofs, view_statements
from seeder.services.run import skip_proving
from seeder.services.run.skip_proving import ProvedView, RunRowVersions
from tests.conftest import another_session, server_major_version, sql

WRITERS = 4
BUILD = """
CREATE SCHEMA s;
SET search_path = s;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
CREATE TABLE t (id serial PRIMARY KEY, g int, v int, note text);
CREATE TABLE d (g int PRIMARY KEY, label text);
CREATE TABLE p (k int, x int) PARTITION BY LIST (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
CREATE TABLE other (k int, x int);
CREATE TABLE m (id serial PRIMARY KEY, mood mood);
INSERT INTO t (g, v) SELECT i % 4, i FROM generate_series(1, 12) AS i;
INSERT INTO d SELECT i, 'l' || i FROM generate_series(0, 3) AS i;
INSERT INTO p SELECT 1 + i % 2, i FROM generate_series(1, 8) AS i;
INSERT INTO other SELECT 1, 100 + i FROM generate_series(1, 4) AS i;
INSERT INTO m (mood) SELECT (ARRAY['sad', 'ok', 'glad']::mood[])[1 + i % 3] FROM generate_series(1, 6) AS i;
CREATE VIEW plain AS SELECT t.id, t.g, t.v, d.label FROM t JOIN d USING (g);
CREATE MATERIALIZED VIEW mv1 AS SELECT g, label, count(*) AS n, sum(v) AS total FROM plain GROUP BY 1, 2;
CREATE MATERIALIZED VIEW mv2 AS SELECT k, count(*) AS n, sum(x) AS total, string_agg(x::text, ';' ORDER BY x) AS whole
    FROM p GROUP BY 1;
CREATE MATERIALIZED VIEW mv3 AS SELECT mood::text AS mood, count(*) AS n FROM m GROUP BY 1;
CREATE MATERIALIZED VIEW mv4 AS SELECT g, n * 2 AS twice, total FROM mv1;
CREATE MATERIALIZED VIEW mv5 AS SELECT id, v, note FROM t WHERE v > 3;
CREATE UNIQUE INDEX ON mv1 (g, label);
CREATE UNIQUE INDEX ON mv2 (k);
CREATE UNIQUE INDEX ON mv3 (mood);
CREATE UNIQUE INDEX ON mv5 (id);
"""
VIRTUAL = """
ALTER TABLE s.m ADD COLUMN virtual int GENERATED ALWAYS AS (id * 2) VIRTUAL;
CREATE MATERIALIZED VIEW s.mv6 AS SELECT sum(virtual) AS total, count(*) AS n FROM s.m;
CREATE UNIQUE INDEX ON s.mv6 (n);
"""
MERGE = (
    "MERGE INTO t USING (VALUES ({0})) AS s (g) ON t.g = s.g AND t.v = {1}"
    " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (g, v) VALUES (s.g, {1})"
)
ROWS = {
    "t": (
        "INSERT INTO t (g, v) VALUES ({0}, {1})",
        "UPDATE t SET v = {1} WHERE id = (SELECT id FROM t ORDER BY id OFFSET {0} LIMIT 1)",
        "DELETE FROM t WHERE id = (SELECT id FROM t ORDER BY id OFFSET {0} LIMIT 1)",
        "UPDATE t SET v = v WHERE g = {0}",
        "UPDATE t SET note = 'x{1}' WHERE g = {0}",
        "SELECT FROM t WHERE g = {0} FOR UPDATE SKIP LOCKED",
        "INSERT INTO t (g, v) VALUES ({0}, {1}); DELETE FROM t WHERE id = (SELECT max(id) FROM t)",
        "DELETE FROM t WHERE id = (SELECT min(id) FROM t); INSERT INTO t (g, v) VALUES ({0}, {1})",
        MERGE,
    ),
    "d": (
        "UPDATE d SET label = 'l{1}' WHERE g = {0}",
        "DELETE FROM d WHERE g = {0}",
        "INSERT INTO d VALUES ({0}, 'n{1}') ON CONFLICT (g) DO UPDATE SET label = excluded.label",
    ),
    "m": (
        "INSERT INTO m (mood) SELECT (enum_range(NULL::mood))[1 + {0} % 3]",
        "DELETE FROM m WHERE id = (SELECT min(id) FROM m)",
        "UPDATE m SET mood = (enum_range(NULL::mood))[1 + {0} % 3] WHERE id = (SELECT max(id) FROM m)",
    ),
    "p": (
        "INSERT INTO p VALUES (1 + {0} % 2, {1})",
        "UPDATE p SET k = 1 + {0} % 2 WHERE x = {1}",
        "DELETE FROM p WHERE x = {1}",
        "UPDATE p SET x = x + 1 WHERE k = 1 + {0} % 2",
        "INSERT INTO p1 VALUES (1, {1})",
        "UPDATE other SET x = x + 1",
    ),
}
SWAP = (
    "ALTER TABLE p DETACH PARTITION p1; ALTER TABLE p ATTACH PARTITION other FOR VALUES IN (1);"
    " ALTER TABLE p1 RENAME TO px; ALTER TABLE other RENAME TO p1; ALTER TABLE px RENAME TO other"
)
DEFINITIONS = (
    "TRUNCATE t; INSERT INTO t (g, v) SELECT i % 4, i FROM generate_series(1, 12) AS i",
    "TRUNCATE m",
    "TRUNCATE p1",
    "TRUNCATE p2; INSERT INTO p2 SELECT 2, i FROM generate_series(1, 4) AS i",
    SWAP,
    SWAP,
    "ALTER TABLE p ATTACH PARTITION other FOR VALUES IN (3)",
    "CREATE TABLE IF NOT EXISTS p3 (k int, x int); ALTER TABLE p ATTACH PARTITION p3 FOR VALUES IN (3)",
    "INSERT INTO p3 VALUES (3, 3)",
    "ALTER TABLE p DETACH PARTITION p3",
    "ALTER TYPE mood RENAME VALUE 'glad' TO 'happy'",
    "ALTER TYPE mood RENAME VALUE 'happy' TO 'glad'",
    "CREATE OR REPLACE VIEW plain AS SELECT t.id, t.g, t.v + {0} % 2 AS v, d.label FROM t JOIN d USING (g)",
    "ALTER TABLE p ADD COLUMN IF NOT EXISTS more int DEFAULT {1}",
    "ALTER TABLE p DROP COLUMN IF EXISTS more",
    "ALTER TABLE t ALTER v TYPE int USING v + 1",
    "ALTER TABLE t ALTER note TYPE varchar",
    "CREATE TABLE IF NOT EXISTS child () INHERITS (t)",
    "INSERT INTO child (id, g, v) VALUES (1000, 1, 5)",
    "DROP TABLE IF EXISTS child",
    "VACUUM FULL m",
    "VACUUM (FREEZE) t",
    "VACUUM t, p, mv1, mv5",
    "CLUSTER t USING t_pkey",
    "ANALYZE t",
    "GRANT SELECT ON t TO PUBLIC",
    "REFRESH MATERIALIZED VIEW mv1",
    "REFRESH MATERIALIZED VIEW mv1 WITH NO DATA",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY mv1",
    "REFRESH MATERIALIZED VIEW mv5",
    "SELECT pg_stat_reset()",
    "SET track_counts = off",
    "SET session_replication_role = replica",
    "CREATE TABLE junk (i int); DROP TABLE junk",
)


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
        if kind < 0.5:
            self._write(self._random.choice(ROWS[self._random.choice("tttpmd")]))
        elif kind < 0.62:
            self._begin()
        elif kind < 0.78:
            self.execute("COMMIT")
        elif kind < 0.84:
            self._roll_back()
        elif kind < 0.92:
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
        names = ["mv1", "mv2", "mv3", "mv4", "mv5"]
        if server_major_version() >= 18:
            sql(VIRTUAL)
            names.append("mv6")
        self.views = [ViewName(schema="s", name=name) for name in names]
        self._proofs: dict[ViewName, SkipProof] = {}
        self._prepared = list[str]()
        self._writers = [Writer(stack.enter_context(another_session()), self._random) for _ in range(WRITERS)]
        for name in ("observe_facts", "count_row_versions", "read_relations", "storage_of"):
            patch.setattr(skip_proofs, name, self._with_writers(getattr(skip_proofs, name)))
        patch.setattr(skip_proofs, "SHORT_LOCK_TIMEOUT", "SET LOCAL lock_timeout = '2ms';")
        patch.setattr(skip_proving, "count_row_versions", skip_proofs.count_row_versions)

    def _with_writers(self, function: Any) -> Any:
        def called(*arguments: Any, **options: Any) -> Any:
            self._let_writers_act((0, 0, 1, 3))
            return function(*arguments, **options)

        return called

    def _let_writers_act(self, numbers: tuple[int, ...]) -> None:
        for _ in range(self._random.choice(numbers)):
            self._random.choice(self._writers).act(self._prepared)

    def step(self) -> None:
        """Let writers act, then verify a proof, and refresh the view if it does not hold."""
        self._let_writers_act((1, 2, 3, 4))
        view = self._random.choice(self.views)
        skips = False
        with suppress(Error):
            skips = self._verify(view)
        if not skips or self._random.random() < 0.1:
            self._proofs.pop(view, None)
            with suppress(Error):
                self._refresh(view)
        connections["default"].close_if_unusable_or_obsolete()

    def _verify(self, view: ViewName) -> bool:
        proof = self._proofs.get(view)
        if proof is None:
            return False
        proved, known = ProvedView("default", view, proof), RunRowVersions.of([("default", proof)])
        with skip_proving.verified(proved, known, now=datetime.now(UTC)) as verdict:
            is_right = self._is_right(view)
        if verdict.change is None and skip_proofs.storage_of("default", view) != proof.view:
            self.counts["refreshed meanwhile"] += 1
            return False
        self.counts[
            f"{'skipped' if verdict.change is None else 'changed'}, rows {'right' if is_right else 'wrong'}"
        ] += 1
        if verdict.change is None and not is_right:
            self.false_skips.append(f"{view}: {proof.as_document()}")
        return verdict.change is None

    def _is_right(self, view: ViewName) -> bool:
        """Return whether the view has the rows of its query, as of the current snapshot."""
        [(query,)] = sql(f"SELECT rtrim(pg_get_viewdef('{view}'::regclass), ';')")
        differences = f"(TABLE {view} EXCEPT ALL ({query})) UNION ALL (({query}) EXCEPT ALL TABLE {view})"
        return sql(f"SELECT NOT EXISTS ({differences})") == [(True,)]

    def _refresh(self, view: ViewName) -> None:
        reads = skip_proofs.find_read_relations("default", [view])[view]
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
            "INSERT INTO s.d SELECT i, 'l' || i FROM generate_series(0, 3) AS i ON CONFLICT DO NOTHING",
        ):
            sql(statement)
