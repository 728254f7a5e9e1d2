-- Costs of statements and backends.

-- name: statement_statistics_schema
-- The schema of pg_stat_statements, and whether it has the column toplevel (version 1.9). No row if this role cannot read
-- it, if it is older than 1.8 (total_exec_time) or not preloaded, because then reading fails (55000).
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
-- The statements of this role in this database that can be a REFRESH.
SELECT
    s.query, s.calls, s.total_exec_time, s.rows,
    s.shared_blks_hit AS shared_blocks_hit, s.shared_blks_read AS shared_blocks_read,
    s.shared_blks_dirtied AS shared_blocks_dirtied, s.shared_blks_written AS shared_blocks_written,
    s.temp_blks_read AS temp_blocks_read, s.temp_blks_written AS temp_blocks_written, s.wal_bytes::bigint
FROM {view} AS s
WHERE s.userid = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND {toplevel}
    AND s.query ILIKE '%refresh%materialized%view%';

-- name: flush_backend_statistics
-- Publish the counters of this session when the transaction ends. By default the server waits up to a second.
SELECT pg_stat_force_next_flush();

-- name: backend_costs
-- What this backend has read and written since it started (PostgreSQL 18). WAL is counted when generated, so its writes
-- are left out.
SELECT pg_backend_pid() AS pid, io.read_bytes, io.write_bytes, wal.wal_bytes::bigint
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
-- The columns are all but the first, so that every one is replaced.
INSERT INTO reporting.seeder_run_metrics
SELECT r.* FROM jsonb_populate_recordset(NULL::reporting.seeder_run_metrics, {rows}) AS r
ON CONFLICT (history_id) DO UPDATE SET ({columns}) = ROW ({replaced});
