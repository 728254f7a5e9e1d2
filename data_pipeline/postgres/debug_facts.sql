-- Facts about loads without any value of the data: neither messages nor rejected records.

-- name: debug_loads
SELECT
    id, source, status, target, payload_meta ->> 'source_uri', payload_meta ->> 'dialect', payload_meta ->> 'mode', attempts,
    created_at::text, updated_at::text, succeeded_at::text, undone_at::text, duration_ms, xid::text, rows_in, rows_inserted,
    rows_updated, rows_unchanged, rows_deleted, rows_rejected, error_code, processed_by, task_id
FROM load_log
ORDER BY updated_at DESC
LIMIT %(limit)s;

-- name: debug_events
SELECT id, load_id, event, actor, at::text FROM load_event ORDER BY id DESC LIMIT %(limit)s;

-- name: debug_rejects
SELECT r.load_id, r.state, p ->> 'column', p ->> 'sqlstate', count(*)
FROM load_reject AS r, jsonb_array_elements(r.problems) AS p
GROUP BY 1, 2, 3, 4
ORDER BY 1 DESC, 5 DESC
LIMIT %(limit)s;

-- name: debug_refreshes
SELECT load_id, relations::text, created_at::text, dispatched_at::text, request_id, views::text
FROM load_refresh
ORDER BY id DESC
LIMIT %(limit)s;

-- name: debug_requests
SELECT id, state, load_id, created_at::text, dispatched_at::text, finished_at::text
FROM load_request
ORDER BY id DESC
LIMIT %(limit)s;

-- name: debug_server
SELECT
    version(), current_setting('server_encoding'), current_setting('TimeZone'), current_setting('max_connections'),
    pg_is_in_recovery(), pg_size_pretty(pg_database_size(current_database())), clock_timestamp()::text;

-- name: debug_migrations
SELECT name, applied::text FROM django_migrations WHERE app = 'data_pipeline' ORDER BY id;
