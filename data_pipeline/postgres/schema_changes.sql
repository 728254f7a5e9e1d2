-- Tables and columns that a load creates.

-- name: lock_new_table
-- Two loads that create one table would otherwise fail with an error of the catalog's index.
SELECT pg_advisory_xact_lock(
    hashtextextended('data_pipeline.new_table ' || quote_ident(%(schema)s) || '.' || quote_ident(%(name)s), 0)
);

-- name: schema_exists
SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %(schema)s);

-- name: record_load_event
INSERT INTO load_event (load_id, event, actor, facts)
SELECT id, %(event)s::text, coalesce(processed_by, ''), %(facts)s::jsonb FROM load_log WHERE id = %(load_id)s;

-- name: limit_lock_wait
-- The previous limit of this session is kept for `restore_lock_wait`.
SELECT
    set_config('data_pipeline.lock_timeout', current_setting('lock_timeout'), true),
    set_config('lock_timeout', %(timeout)s, true);

-- name: restore_lock_wait
SELECT set_config('lock_timeout', current_setting('data_pipeline.lock_timeout'), true);
