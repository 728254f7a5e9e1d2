-- What statements and backends have cost the server, one named statement a question.

-- name: statement_statistics_schema
-- The schema of pg_stat_statements, and whether it tells what clients have sent from what functions have (from its version
-- 1.9 on); no row where this role cannot read it. The library's own setting exists exactly when the server has preloaded it, without which reading
-- fails (55000). total_exec_time came with version 1.8; an extension may be older than its server.
SELECT
    n.nspname::text,
    EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'toplevel' AND NOT attisdropped)
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'pg_stat_statements'
WHERE e.extname = 'pg_stat_statements'
    AND current_setting('pg_stat_statements.max', true) IS NOT NULL
    AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'total_exec_time' AND NOT attisdropped)
    AND has_schema_privilege(n.oid, 'USAGE')
    AND has_table_privilege(c.oid, 'SELECT');

-- name: statement_costs
-- What every statement that may be a REFRESH has cost this role in this database; times in milliseconds. What is in
-- braces is composed in.
SELECT
    s.query, s.calls, s.total_exec_time, s.rows,
    s.shared_blks_hit, s.shared_blks_read, s.shared_blks_dirtied, s.shared_blks_written,
    s.temp_blks_read, s.temp_blks_written, s.wal_bytes::bigint
FROM {view} AS s
WHERE s.userid = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND {toplevel}
    AND s.query ILIKE '%refresh%materialized%view%';

-- name: flush_backend_statistics
-- Have what this session has counted so far made readable when this transaction has ended; by itself the server does
-- that no more than once a second.
SELECT pg_stat_force_next_flush();

-- name: backend_costs
-- What this backend has read and written since it started (from PostgreSQL 18 on). WAL is counted apart, as it was
-- generated; what of it this backend also wrote out would be counted twice.
SELECT pg_backend_pid(), io.read_bytes, io.write_bytes, wal.wal_bytes::bigint
FROM (
    SELECT
        coalesce(sum(read_bytes), 0)::bigint AS read_bytes,
        (coalesce(sum(write_bytes), 0) + coalesce(sum(extend_bytes), 0))::bigint AS write_bytes
    FROM pg_stat_get_backend_io(pg_backend_pid())
    WHERE object <> 'wal'
) AS io, pg_stat_get_backend_wal(pg_backend_pid()) AS wal;

-- name: backend_identity
-- The process of this session, and its age in seconds.
SELECT pg_backend_pid(), extract(epoch FROM clock_timestamp() - backend_start)::double precision
FROM pg_stat_get_activity(pg_backend_pid());

-- name: upsert_run_metrics
-- One row for each refresh, over what was known of it before. What is in braces is composed in: all columns but the first,
-- as every one of them is replaced.
INSERT INTO reporting.seeder_run_metrics
SELECT known.* FROM jsonb_populate_recordset(NULL::reporting.seeder_run_metrics, {rows}) AS known
ON CONFLICT (history_id) DO UPDATE SET ({columns}) = ROW ({replaced});
