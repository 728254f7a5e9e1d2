-- Consistent groups: views that are refreshed in one REPEATABLE READ transaction.
--
-- The snapshot must come after the locks on the inputs (`input_locks.sql` has the reason), so until then the transaction
-- runs only SET and LOCK TABLE, which take none.

-- name: lock_keys_for_session
-- Lock keys until they are unlocked, in the order of their hashes, so that two groups cannot deadlock.
SELECT pg_advisory_lock(hash), clock_timestamp()
FROM (
    SELECT DISTINCT hashtextextended(key, 0) AS hash FROM unnest(%(keys)s::text[]) AS key ORDER BY hash OFFSET 0
) AS sorted;

-- name: unlock_keys
-- Unlock those of the keys that this session holds.
SELECT pg_advisory_unlock(hash)
FROM (SELECT DISTINCT hashtextextended(key, 0) AS hash FROM unnest(%(keys)s::text[]) AS key) AS keys
JOIN pg_locks AS l
    ON l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted AND l.objsubid = 1
    AND l.classid::bigint = (hash >> 32) & 4294967295 AND l.objid::bigint = hash & 4294967295;

-- name: group_members
-- The existing materialized views among the members. The condition on the index is that of `view_facts`.
SELECT n.nspname::text, c.relname::text, c.oid::bigint, c.xmin::text, c.relispopulated, EXISTS (
    SELECT
    FROM pg_index AS i
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
        AND i.indpred IS NULL AND i.indexprs IS NULL
)
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname
WHERE c.relkind = 'm';

-- name: group_tables
-- The tables among inputs, which are given by OID or by name, and whether this role may lock them.
SELECT c.oid::bigint, n.nspname::text, c.relname::text, has_table_privilege(c.oid, 'SELECT')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND (c.oid = ANY (%(oids)s::oid[]) OR (n.nspname, c.relname) IN (
    SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[])
))
ORDER BY 2, 3;

-- name: take_snapshot
-- Take the snapshot of the transaction. The time is that of this statement's arrival, so it is before the snapshot.
SELECT statement_timestamp(), pg_current_snapshot()::text;

-- name: limit_statements
-- Limit the following statements of the transaction, in milliseconds.
SELECT set_config('statement_timeout', %(timeout)s::text, true);

-- name: is_replaced
-- A row if another session has refreshed, altered or dropped a view after the snapshot, and before this transaction refreshed
-- it. Every refresh replaces the view's row in pg_class. The row that the snapshot has seen is still visible if another
-- session has replaced it, and invisible if only this transaction has.
SELECT 1 FROM pg_class WHERE oid = %(oid)s::oid AND xmin::text = %(xmin)s;

-- name: last_refreshes
-- The start and the duration of each view's latest success.
SELECT latest.start_time, latest.duration
FROM unnest(%(names)s::text[]) AS requested (name)
CROSS JOIN LATERAL (
    SELECT h.start_time, h.finish_time - h.start_time AS duration
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = requested.name AND h.status = 'success' AND h.finish_time IS NOT NULL
    ORDER BY h.start_time DESC
    LIMIT 1
) AS latest;
