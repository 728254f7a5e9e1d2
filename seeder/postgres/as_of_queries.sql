-- When views were refreshed, with which snapshot, and the tables behind them.

-- name: last_snapshots
-- The latest success of each wanted view that had ended at a time. The history has a view's name as its manifests spell it.
-- A refresh of several manifests has as many rows, and one whose result another run reused, too. One of them has the snapshot.
SELECT wanted.position::integer, latest.start_time, (
    SELECT m.snapshot
    FROM reporting.seeder_run_history AS h
    JOIN {metrics} AS m ON m.history_id = h.id
    WHERE h.table_name = wanted.table_name AND h.status = 'success' AND h.start_time = latest.start_time
        AND m.snapshot IS NOT NULL
    LIMIT 1
)
FROM unnest(%(positions)s::integer[], %(names)s::text[], %(ended_by)s::timestamptz[])
    AS wanted (position, table_name, ended_by)
CROSS JOIN LATERAL (
    SELECT h.start_time
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = wanted.table_name AND h.status = 'success'
        AND h.start_time <= coalesce(wanted.ended_by, 'infinity')
        AND h.finish_time <= coalesce(wanted.ended_by, 'infinity')
    ORDER BY h.start_time DESC
    LIMIT 1
) AS latest;

-- name: current_snapshot
SELECT transaction_timestamp(), pg_current_snapshot()::text;

-- name: tables_and_relatives
-- Each table with itself, its parents and its partitions, whose rows change together.
WITH RECURSIVE parents (oid, relative) AS (
    SELECT oid, oid FROM unnest(%(oids)s::oid[]) AS wanted (oid)
    UNION
    SELECT p.oid, i.inhparent FROM parents AS p JOIN pg_inherits AS i ON i.inhrelid = p.relative
), partitions (oid, relative) AS (
    SELECT oid, oid FROM unnest(%(oids)s::oid[]) AS wanted (oid)
    UNION
    SELECT p.oid, i.inhrelid FROM partitions AS p JOIN pg_inherits AS i ON i.inhparent = p.relative
)
SELECT r.oid::bigint, n.nspname::text, c.relname::text
FROM (TABLE parents UNION TABLE partitions) AS r
JOIN pg_class AS c ON c.oid = r.relative
JOIN pg_namespace AS n ON n.oid = c.relnamespace;
