-- Small views are refreshed in one transaction and one round trip. Their number is at least one.
--
-- A statement that finds anything else to do than to refresh all of them divides by zero. Then nothing is published, and
-- each view is refreshed alone, which finds out and says what it was.

-- name: lock_shared_views
-- Lock the views without waiting, because a wait would delay readers of the others.
SELECT 1 / bool_and(pg_try_advisory_xact_lock(hashtextextended(key, 0)))::integer FROM unnest(%(keys)s::text[]) AS key;

-- name: require_unrefreshed
-- No other run has refreshed one of the views since a time, which differs between views.
SELECT 1 / (NOT EXISTS (
    SELECT
    FROM unnest(%(table_names)s::text[], %(afters)s::timestamptz[]) AS one (table_name, after)
    JOIN reporting.seeder_run_history AS h USING (table_name)
    WHERE h.status = 'success' AND h.start_time > one.after AND h.run_id <> %(run)s
))::integer;

-- name: lock_shared_inputs
-- Lock the tables that `choose_inputs` has chosen.
DO LANGUAGE plpgsql $seeder$
DECLARE
    inputs regclass[] := current_setting('seeder.inputs');
BEGIN
    IF inputs <> '{}' THEN
        EXECUTE format('LOCK TABLE %%s IN ACCESS SHARE MODE', array_to_string(inputs, ', '));
    END IF;
END $seeder$;

-- name: look_at_shared_views
-- Note the views, their counters of written rows, which include earlier transactions of this session, and the time. Returns
-- the transactions whose rows the refreshes see.
SELECT
    1 / bool_and(current_setting('track_counts')::boolean)::integer,
    set_config('seeder.oids', array_agg(c.oid ORDER BY position)::text, true),
    set_config('seeder.inserted', array_agg(pg_stat_get_xact_tuples_inserted(c.oid) ORDER BY position)::text, true),
    set_config('seeder.deleted', array_agg(pg_stat_get_xact_tuples_deleted(c.oid) ORDER BY position)::text, true),
    set_config('seeder.times', '{' || clock_timestamp(), true),
    pg_current_snapshot()::text
FROM unnest(%(schemas)s::text[], %(names)s::text[]) WITH ORDINALITY AS wanted (schema_name, view_name, position)
JOIN pg_namespace AS n ON n.nspname = schema_name
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = view_name AND c.relkind = 'm';

-- name: note_time
-- The end of one refresh, and the start of the next.
SELECT set_config('seeder.times', current_setting('seeder.times') || ',' || clock_timestamp(), true);

-- name: record_shared_refreshes
-- Close the rows of the refreshed views, as `mark_succeeded` does for one. Locks history rows before status rows, and those in
-- the order of names, like every transaction. Returns what was written, in the order of the views.
WITH written AS MATERIALIZED (
    SELECT
        noted.position,
        pg_stat_get_xact_tuples_inserted(oid) - inserted AS inserted,
        pg_stat_get_xact_tuples_deleted(oid) - deleted AS deleted,
        pg_total_relation_size(oid) AS bytes,
        times[position] AS started,
        times[position + 1] AS finished,
        round(extract(epoch FROM times[position + 1] - times[position])) AS seconds
    FROM
        unnest(
            current_setting('seeder.oids')::oid[], current_setting('seeder.inserted')::bigint[],
            current_setting('seeder.deleted')::bigint[]
        ) WITH ORDINALITY AS noted (oid, inserted, deleted, position),
        CAST(current_setting('seeder.times') || '}' AS timestamptz[]) AS times
), closed AS (
    UPDATE reporting.seeder_run_history AS h
    SET status = 'success', start_time = started, finish_time = finished, duration_seconds = seconds,
        records_processed = inserted, bytes_processed = bytes, memory_usage_mb = NULL, cpu_percentage = NULL, errors = NULL,
        consecutive_failures = 0, updated_at = now()
    FROM unnest(%(history_ids)s::bigint[], %(history_positions)s::integer[]) AS one (id, position)
    JOIN written USING (position)
    WHERE h.id = one.id AND h.status NOT IN ('success', 'error')
    RETURNING h.id
), locked AS (
    SELECT table_name
    FROM reporting.seeder_job_status
    WHERE table_name = ANY (%(table_names)s::text[]) AND (SELECT count(*) FROM closed) > 0
    ORDER BY table_name
    FOR UPDATE
), latest AS (
    UPDATE reporting.seeder_job_status AS s
    SET status = 'success', start_time = started, last_run_id = %(run)s, duration_seconds = seconds, last_errors = NULL,
        consecutive_failures = 0, updated_at = now()
    FROM locked
    JOIN unnest(%(table_names)s::text[], %(table_positions)s::integer[]) AS one (table_name, position) USING (table_name)
    JOIN written USING (position)
    WHERE s.table_name = locked.table_name
)
SELECT
    started, finished, inserted, deleted, bytes,
    1 / ((SELECT count(*) FROM closed) = cardinality(%(history_ids)s::bigint[]))::integer
FROM written
ORDER BY position;

-- name: record_shared_states
-- As of when the data of the refreshed views are, as `record_view_state` does for one that reads no materialized view. Each is
-- as of its start, unless it is given why that is unknown.
INSERT INTO reporting.seeder_view_state AS s
    (database_alias, schema_name, view_name, view_oid, view_xmin, data_as_of, unknown)
SELECT
    %(database)s, n.nspname, c.relname, c.oid::bigint, c.xmin::text,
    CASE WHEN noted.unknown IS NULL THEN times[position] END, noted.unknown
FROM unnest(current_setting('seeder.oids')::oid[], %(unknowns)s::text[])
    WITH ORDINALITY AS noted (oid, unknown, position)
JOIN pg_class AS c ON c.oid = noted.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace,
    CAST(current_setting('seeder.times') || '}' AS timestamptz[]) AS times
ON CONFLICT (database_alias, schema_name, view_name) DO UPDATE SET
    view_oid = excluded.view_oid, view_xmin = excluded.view_xmin, data_as_of = excluded.data_as_of,
    unknown = excluded.unknown, updated_at = now()
RETURNING 1;
