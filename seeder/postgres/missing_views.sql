-- Missing views, created as plain views for a moment.

-- name: stub_statements
-- The statement that creates each wanted view with the same columns, without what it reads.
SELECT
    n.nspname::text,
    c.relname::text,
    format('CREATE VIEW %%I.%%I AS SELECT %%s', n.nspname, c.relname, string_agg(
        format('NULL::%%s%%s AS %%I', format_type(a.atttypid, a.atttypmod), CASE
            WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation
        END, a.attname),
        ', ' ORDER BY a.attnum
    ))
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_type AS t ON t.oid = a.atttypid
GROUP BY n.nspname, c.relname;

-- name: held_locks
-- The locks of this session in the lock table that all sessions share.
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND NOT fastpath;

-- name: lock_table_capacity
-- About how many locks the shared lock table has space for.
SELECT current_setting('max_locks_per_transaction')::bigint
    * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint);
