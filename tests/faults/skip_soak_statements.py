"""Relations of the soak of skips, and what its writers do with them: {0} is 0 to 3, and {1} is 0 to 19."""

BUILD = """
CREATE SCHEMA s;
SET search_path = s;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
CREATE TABLE t (id serial PRIMARY KEY, g int, v int, note text, unread int);
CREATE TABLE d (g int PRIMARY KEY, label text);
CREATE TABLE p (k int, x int) PARTITION BY LIST (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
CREATE TABLE other (k int, x int);
CREATE TABLE m (id serial PRIMARY KEY, mood mood);
CREATE TABLE e (k int PRIMARY KEY, at timestamptz);
CREATE TABLE e2 (LIKE e INCLUDING ALL);
INSERT INTO t (g, v) SELECT i % 4, i FROM generate_series(1, 12) AS i;
INSERT INTO d SELECT i, 'l' || i FROM generate_series(0, 3) AS i;
INSERT INTO p SELECT 1 + i % 2, i FROM generate_series(1, 8) AS i;
INSERT INTO other SELECT 1, 100 + i FROM generate_series(1, 4) AS i;
INSERT INTO m (mood) SELECT (ARRAY['sad', 'ok', 'glad']::mood[])[1 + i % 3] FROM generate_series(1, 6) AS i;
INSERT INTO e SELECT i, timestamptz '2026-01-01 00:00Z' + i * interval '7 hours' FROM generate_series(1, 6) AS i;
INSERT INTO e2 TABLE e;
CREATE VIEW hours AS SELECT at FROM e;
CREATE VIEW plain AS SELECT t.id, t.g, t.v, d.label FROM t JOIN d USING (g);
CREATE MATERIALIZED VIEW mv1 AS SELECT g, label, count(*) AS n, sum(v) AS total FROM plain GROUP BY 1, 2;
CREATE MATERIALIZED VIEW mv2 AS SELECT k, count(*) AS n, sum(x) AS total, string_agg(x::text, ';' ORDER BY x) AS whole
    FROM p GROUP BY 1;
CREATE MATERIALIZED VIEW mv3 AS SELECT mood::text AS mood, count(*) AS n FROM m GROUP BY 1;
CREATE MATERIALIZED VIEW mv4 AS SELECT g, n * 2 AS twice, total FROM mv1;
CREATE MATERIALIZED VIEW mv5 AS SELECT id, v, note FROM t WHERE v > 3;
CREATE MATERIALIZED VIEW mv6 AS SELECT to_char(at, 'DD HH24') AS hour, count(*) AS n FROM hours GROUP BY 1;
CREATE UNIQUE INDEX ON mv1 (g, label);
CREATE UNIQUE INDEX ON mv2 (k);
CREATE UNIQUE INDEX ON mv3 (mood);
CREATE UNIQUE INDEX ON mv5 (id);
CREATE UNIQUE INDEX ON mv6 (hour);
"""
VIRTUAL = """
ALTER TABLE s.m ADD COLUMN virtual int GENERATED ALWAYS AS (id * 2) VIRTUAL;
CREATE MATERIALIZED VIEW s.mv7 AS SELECT sum(virtual) AS total, count(*) AS n FROM s.m;
CREATE UNIQUE INDEX ON s.mv7 (n);
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
    "e": (
        "INSERT INTO e VALUES ({1}, timestamptz '2026-01-01 12:00Z' + {0} * interval '1 day') ON CONFLICT DO NOTHING",
        "DELETE FROM e WHERE k = {1}",
        "UPDATE e SET k = k WHERE k = {1}",
        "UPDATE e2 SET at = at + interval '1 day' WHERE k = {0}",
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
    "CREATE OR REPLACE VIEW plain AS SELECT t.id, t.g, t.v + {0} AS v, d.label FROM t JOIN d USING (g)",
    "CREATE OR REPLACE VIEW hours AS SELECT at + {0} * interval '1 hour' AS at FROM e",
    "ALTER TABLE e RENAME TO ex; ALTER TABLE e2 RENAME TO e; ALTER TABLE ex RENAME TO e2",
    "ALTER TABLE m ALTER virtual SET EXPRESSION AS (id * (2 + {0}))",
    "ALTER TABLE p ADD COLUMN IF NOT EXISTS more int DEFAULT {1}",
    "ALTER TABLE p DROP COLUMN IF EXISTS more",
    "ALTER TABLE t ALTER unread TYPE bigint",
    "ALTER TABLE t ALTER unread TYPE int",
    "CREATE TABLE IF NOT EXISTS child () INHERITS (t)",
    "INSERT INTO child (g, v) VALUES (1, 5)",  # one id each: a concurrent refresh loses equal rows with nulls
    "DROP TABLE IF EXISTS child",
    "VACUUM FULL m",
    "VACUUM (FREEZE, TRUNCATE false) t",  # it would wait 5 s for a lock to truncate
    "VACUUM (TRUNCATE false) t, p, mv1, mv5",
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
