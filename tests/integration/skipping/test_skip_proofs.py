"""What invalidates the proof that a refresh would publish the same rows, and what leaves it valid.

Other methods miss some of these changes: the newest transaction, counters of statistics, or texts of the catalog.
"""

import json
from collections.abc import Iterator

import pytest
from django.db import OperationalError

from seeder.domain.skip_proof import Change, ChangedFact, SkipProof
from seeder.domain.view_names import ViewName
from seeder.postgres import skip_proofs
from seeder.services.run import skip_proving
from seeder.services.run.skip_proving import RunRowVersions
from tests.conftest import another_session, sql
from tests.integration.skipping.proved_views import change_since, take_proof

VIEW, UPSTREAM = ViewName(schema="skip", name="view"), ViewName(schema="skip", name="upstream")

_BUILD = """
DROP SCHEMA IF EXISTS skip CASCADE;
CREATE SCHEMA skip;
CREATE TYPE skip.mood AS ENUM ('sad', 'glad');
CREATE FUNCTION skip.twice(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT i * 2';
CREATE TABLE skip.t (id int PRIMARY KEY, v int, note text, mood skip.mood DEFAULT 'sad');
INSERT INTO skip.t SELECT i, i FROM generate_series(1, 10) AS i;
CREATE TABLE skip.p (k int, x int) PARTITION BY LIST (k);
CREATE TABLE skip.p1 PARTITION OF skip.p FOR VALUES IN (1);
CREATE TABLE skip.other (k int, x int);
INSERT INTO skip.p SELECT 1, i FROM generate_series(1, 5) AS i;
INSERT INTO skip.other SELECT 1, i + 10 FROM generate_series(1, 5) AS i;
CREATE TABLE skip.u (i int PRIMARY KEY);
INSERT INTO skip.u SELECT generate_series(1, 3);
CREATE VIEW skip.plain AS SELECT id, v FROM skip.t;
CREATE MATERIALIZED VIEW skip.upstream AS SELECT i FROM skip.u;
CREATE UNIQUE INDEX ON skip.upstream (i);
CREATE MATERIALIZED VIEW skip.view AS
    SELECT plain.id, skip.twice(plain.v) AS v, t.mood::text AS mood, count(p.*) AS n, count(upstream.*) AS m
    FROM skip.plain JOIN skip.t USING (id) LEFT JOIN skip.p ON x = id LEFT JOIN skip.upstream ON i = id
    GROUP BY 1, 2, 3;
CREATE UNIQUE INDEX ON skip.view (id);
"""


@pytest.fixture(autouse=True)
def relations(bare_database: None) -> Iterator[None]:
    sql(_BUILD)
    yield
    sql("RESET ALL; DROP SCHEMA skip CASCADE")


def changed(relation: str) -> Change:
    return Change(fact=ChangedFact.INPUT, relation=f"skip.{relation}")


CATALOG, ENVIRONMENT = Change(fact=ChangedFact.CATALOG), Change(fact=ChangedFact.ENVIRONMENT)
BY_OTHERS = Change(fact=ChangedFact.VIEW)

CHANGES = {
    "insert": ("INSERT INTO skip.t VALUES (11, 1)", changed("t")),
    "delete": ("DELETE FROM skip.t WHERE id = 1", changed("t")),
    "update": ("UPDATE skip.t SET v = 0 WHERE id = 1", changed("t")),
    "heap only update": ("UPDATE skip.t SET note = 'x' WHERE id = 1", changed("t")),
    "update and back": ("UPDATE skip.t SET v = 0 WHERE id = 1; UPDATE skip.t SET v = 1 WHERE id = 1", changed("t")),
    "as many rows": ("DELETE FROM skip.t WHERE id = 1; INSERT INTO skip.t VALUES (1, 1)", changed("t")),
    "savepoint": ("BEGIN; SAVEPOINT a; INSERT INTO skip.t VALUES (11, 1); RELEASE a; COMMIT", changed("t")),
    "merge": (
        "MERGE INTO skip.t USING (VALUES (1)) AS s (id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 0",
        changed("t"),
    ),
    "reload": (
        "BEGIN; CREATE TEMP TABLE kept AS TABLE skip.t; TRUNCATE skip.t; INSERT INTO skip.t TABLE kept; COMMIT",
        CATALOG,
    ),
    "type": ("ALTER TABLE skip.t ALTER note TYPE varchar", CATALOG),
    "partition reloaded": ("TRUNCATE skip.p1; INSERT INTO skip.p1 TABLE skip.other", CATALOG),
    "row in a partition": ("INSERT INTO skip.p1 VALUES (1, 1)", changed("p")),
    "partition attached": ("CREATE TABLE skip.p2 PARTITION OF skip.p FOR VALUES IN (2)", CATALOG),
    "partition swapped": (
        "ALTER TABLE skip.p DETACH PARTITION skip.p1; ALTER TABLE skip.p ATTACH PARTITION skip.other FOR VALUES IN (1)",
        CATALOG,
    ),
    "partition detached and attached": (
        "ALTER TABLE skip.p DETACH PARTITION skip.p1; ALTER TABLE skip.p ATTACH PARTITION skip.p1 FOR VALUES IN (1)",
        CATALOG,
    ),
    "inheritance child": ("CREATE TABLE skip.child () INHERITS (skip.t)", CATALOG),
    "plain view replaced": ("CREATE OR REPLACE VIEW skip.plain AS SELECT id, v + 0 AS v FROM skip.t", CATALOG),
    "column added": ("ALTER TABLE skip.t ADD COLUMN more int DEFAULT 1", CATALOG),
    "row-level security": ("ALTER TABLE skip.t ENABLE ROW LEVEL SECURITY", CATALOG),
    "enum renamed": ("ALTER TYPE skip.mood RENAME VALUE 'sad' TO 'low'", ENVIRONMENT),
    "function replaced": (
        "CREATE OR REPLACE FUNCTION skip.twice(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT i * 2'",
        ENVIRONMENT,
    ),
    "time zone": ("SET TimeZone = 'Pacific/Apia'", ENVIRONMENT),
    "date style": ("SET DateStyle = 'ISO, DMY'", ENVIRONMENT),
    "search path": ("SET search_path = skip", ENVIRONMENT),
    "upstream with other rows": (
        "INSERT INTO skip.u VALUES (4); REFRESH MATERIALIZED VIEW CONCURRENTLY skip.upstream",
        changed("upstream"),
    ),
    "upstream rewritten": ("REFRESH MATERIALIZED VIEW skip.upstream", changed("upstream")),
    "upstream emptied": ("REFRESH MATERIALIZED VIEW skip.upstream WITH NO DATA", CATALOG),
    "upstream unchanged": ("REFRESH MATERIALIZED VIEW CONCURRENTLY skip.upstream", None),
    "refreshed by hand": ("REFRESH MATERIALIZED VIEW skip.view", BY_OTHERS),
    "refreshed by hand concurrently": ("REFRESH MATERIALIZED VIEW CONCURRENTLY skip.view", BY_OTHERS),
    "aborted": ("BEGIN; INSERT INTO skip.t VALUES (11, 1); ROLLBACK", None),
    "aborted savepoint": (
        "BEGIN; SAVEPOINT a; INSERT INTO skip.t VALUES (11, 1); ROLLBACK TO a; COMMIT",
        None,
    ),
    "insert and delete": (
        "BEGIN; INSERT INTO skip.t VALUES (11, 1); DELETE FROM skip.t WHERE id = 11; COMMIT",
        None,
    ),
    "locked rows": ("BEGIN; SELECT FROM skip.t FOR UPDATE; COMMIT", None),
    "cluster": ("CLUSTER skip.t USING t_pkey", CATALOG),
    "vacuum full": ("VACUUM FULL skip.t", CATALOG),
    "frozen": ("VACUUM FREEZE skip.t, skip.p, skip.upstream, skip.view", None),
    "analyze": ("ANALYZE skip.t, skip.p, skip.view", None),
    "another table": ("INSERT INTO skip.other VALUES (1, 1)", None),
    "statistics reset": ("SELECT pg_stat_reset()", None),
}


def proof_of_view() -> SkipProof:
    proof = take_proof(VIEW)
    assert proof is not None
    return proof


@pytest.mark.parametrize("change", CHANGES)
def test_change_invalidates_the_proof(change: str) -> None:
    statements, expected = CHANGES[change]
    proof = proof_of_view()
    assert change_since(proof, VIEW) is None
    for statement in statements.split("; "):
        sql(statement)
    assert change_since(proof, VIEW) == expected


@pytest.mark.parametrize("open_before", ["proof", "verification"])
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_open_transaction_shows_when_it_commits(end: str, open_before: str) -> None:
    with another_session() as writer:
        writer.execute("BEGIN; INSERT INTO skip.t VALUES (11, 1)")
        proof = proof_of_view()
        if open_before == "verification":
            assert change_since(proof, VIEW) is None
        writer.execute(end.encode())
        assert change_since(proof, VIEW) == (None if end == "ROLLBACK" else changed("t"))


def test_rows_of_transactions_after_the_first_open_one_are_counted_each() -> None:
    with another_session() as idle:
        idle.execute("BEGIN; SELECT pg_current_xact_id()")
        sql("INSERT INTO skip.t SELECT i, i FROM generate_series(11, 13) AS i")
        sql("INSERT INTO skip.t SELECT i, i FROM generate_series(21, 23) AS i")
        proof = proof_of_view()
        [*counts] = next(one for one in proof.inputs.values() if one.name == "skip.t").young.values()
        assert sorted(counts) == [3, 3]
        assert change_since(proof, VIEW) is None
        sql("DELETE FROM skip.t WHERE id = 11")
        sql("INSERT INTO skip.t VALUES (11, 11)")
        assert change_since(proof, VIEW) == changed("t")


def test_locked_table_proves_nothing() -> None:
    proof = proof_of_view()
    with another_session() as loader:
        loader.execute("BEGIN; TRUNCATE skip.p1")
        with pytest.raises(OperationalError):
            change_since(proof, VIEW)
        loader.execute("ROLLBACK")
    assert change_since(proof, VIEW) is None


def test_partition_attached_during_the_refresh_proves_nothing() -> None:
    """It is read by the refresh, but the snapshot of the observation does not have it. It can be detached again."""
    sql("CREATE TABLE skip.p2 (k int, x int); INSERT INTO skip.p2 VALUES (2, 2)")

    def attach() -> None:
        with another_session() as session:
            session.execute("ALTER TABLE skip.p ATTACH PARTITION skip.p2 FOR VALUES IN (2)")

    assert take_proof(VIEW, meanwhile=attach) is None


@pytest.mark.parametrize("concurrently", [False, True])
def test_proof_of_either_mode_holds(concurrently: bool) -> None:  # noqa: FBT001
    sql("INSERT INTO skip.t VALUES (11, 1)")
    proof = take_proof(VIEW, concurrently=concurrently)
    assert proof is not None
    assert change_since(proof, VIEW) is None
    sql("DELETE FROM skip.t WHERE id = 11")
    assert change_since(proof, VIEW) == changed("t")


def test_view_that_reads_other_tables_than_its_plan_proves_nothing() -> None:
    """The other tables are not locked, so their rows could be replaced between the snapshot and the refresh."""
    proof, planned = proof_of_view(), skip_proofs.find_read_relations("default", [VIEW])[VIEW]
    sql("CREATE OR REPLACE VIEW skip.plain AS SELECT k AS id, x AS v FROM skip.other")
    assert change_since(proof, VIEW) == change_since(proof, VIEW, reads=planned) == CATALOG
    with skip_proofs.locked_snapshot("default", planned.tables):
        assert skip_proving.before_refresh("default", VIEW, planned) is None


def test_table_is_counted_once_in_a_run() -> None:
    proof = proof_of_view()
    known = RunRowVersions.of([("default", proof)])
    assert change_since(proof, VIEW, known=known) is None
    sql("INSERT INTO skip.t VALUES (11, 1)")
    assert change_since(proof, VIEW, known=known) is None, "as of the first count"
    assert change_since(proof, VIEW) == changed("t")


def test_proof_is_the_same_after_it_was_stored() -> None:
    proof = proof_of_view()
    assert SkipProof.from_document(json.loads(json.dumps(proof.as_document()))) == proof
