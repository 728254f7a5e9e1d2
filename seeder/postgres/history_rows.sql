-- Rows of the run history, of the job status and of runs.
--
-- Open rows are selected with NOT IN. With IN ('pending', 'running'), the planner would use the index of open rows if the
-- statistics are from a time without any, and read all of them each time.
--
-- A skipped refresh is a success without duration_seconds, so that it is no measure of the next refresh.

-- name: past_refreshes
-- The duration of each view's latest success, and its failures in a row. Reads one history row for each name.
SELECT requested.name, latest.duration, s.consecutive_failures
FROM unnest(%(names)s::text[]) AS requested (name)
LEFT JOIN reporting.seeder_job_status AS s ON s.table_name = requested.name
LEFT JOIN LATERAL (
    SELECT h.finish_time - h.start_time AS duration
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = requested.name AND h.status = 'success' AND h.finish_time IS NOT NULL
        AND h.duration_seconds IS NOT NULL
    ORDER BY h.start_time DESC
    LIMIT 1
) AS latest ON true;

-- name: past_modes
-- The latest refreshes of each view that wrote it, as one manifest recorded them, the latest first: position of the view,
-- mode (null for a creation), duration, rows, inserted and deleted rows, bytes. With coalesce(), the planner reads the
-- history in the order of its index up to the limit; otherwise it would read and sort all refreshes of each view.
SELECT requested.position, m.mode, h.finish_time - h.start_time, h.records_processed, m.rows_inserted, m.rows_deleted,
    coalesce(h.bytes_processed, 0)
FROM unnest(%(names)s::text[], %(report_types)s::text[], %(manifest_ids)s::integer[])
    WITH ORDINALITY AS requested (name, report_type, manifest_id, position)
CROSS JOIN LATERAL (
    SELECT r.id, r.start_time, r.finish_time, r.records_processed, r.bytes_processed
    FROM reporting.seeder_run_history AS r
    WHERE r.table_name = requested.name AND r.status = 'success'
        AND coalesce(r.manifest_id = requested.manifest_id AND r.report_type = requested.report_type, false)
    ORDER BY r.start_time DESC
    LIMIT %(limit)s
) AS h
JOIN reporting.seeder_run_metrics AS m ON m.history_id = h.id
WHERE (m.mode IS NOT NULL OR m.rows_inserted IS NOT NULL)
    AND h.finish_time IS NOT NULL AND h.records_processed IS NOT NULL
ORDER BY requested.position, h.start_time DESC;

-- name: insert_pending_rows
-- The first manifest with a name defines its status row: custom before canned, then by id. All runs lock status rows in the
-- order of names, so that two runs with common views cannot deadlock.
WITH inserted AS (
    INSERT INTO reporting.seeder_run_history
        (run_id, status, manifest_id, report_type, table_name, report_name, agency_id, agency_slug)
    SELECT %(run)s::text, 'pending', manifest.*
    FROM unnest(
        %(manifest_ids)s::integer[], %(report_types)s::text[], %(table_names)s::text[], %(report_names)s::text[],
        %(agency_ids)s::integer[], %(agency_slugs)s::text[]
    ) AS manifest
    RETURNING *
), latest AS (
    INSERT INTO reporting.seeder_job_status
        (last_run_id, status, manifest_id, report_type, table_name, report_name, agency_id, agency_slug)
    SELECT DISTINCT ON (table_name)
        run_id, status, manifest_id, report_type, table_name, report_name, agency_id, agency_slug
    FROM inserted
    ORDER BY table_name, report_type DESC, manifest_id
    ON CONFLICT (table_name) DO UPDATE SET
        last_run_id = excluded.last_run_id, status = excluded.status, manifest_id = excluded.manifest_id,
        report_type = excluded.report_type, report_name = excluded.report_name, agency_id = excluded.agency_id,
        agency_slug = excluded.agency_slug, updated_at = now()
)
SELECT id, report_type, manifest_id FROM inserted;

-- name: mark_running
-- Locks history rows before status rows, and those in the order of names, like every transaction. A row that is not pending
-- was marked before or closed by another run, so its status is left alone.
WITH marked AS (
    UPDATE reporting.seeder_run_history
    SET status = 'running', start_time = clock_timestamp(), updated_at = now()
    WHERE id = ANY (%(ids)s::bigint[]) AND status NOT IN ('running', 'success', 'error')
    RETURNING table_name
), locked AS (
    SELECT table_name
    FROM reporting.seeder_job_status
    WHERE table_name IN (SELECT table_name FROM marked)
    ORDER BY table_name
    FOR UPDATE
)
UPDATE reporting.seeder_job_status AS s
SET status = 'running', start_time = clock_timestamp(), updated_at = now()
FROM locked
WHERE s.table_name = locked.table_name
RETURNING 1;

-- name: mark_succeeded
-- Close the rows of a created or refreshed view that are still open. Returns their number, and the view's rows, bytes and
-- end, and the rows that this transaction inserted and deleted. The first three are given, or measured for a view of this
-- database and this transaction: the rows that it inserted, unless they were counted, and the size on disk with indexes and
-- TOAST. Costs are in seconds of CPU time.
WITH view AS MATERIALIZED (
    SELECT
        c.oid,
        pg_stat_get_xact_tuples_inserted(c.oid) - %(inserted_before)s::bigint AS inserted,
        pg_stat_get_xact_tuples_deleted(c.oid) - %(deleted_before)s::bigint AS deleted
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname = %(name)s
), measured AS MATERIALIZED (
    SELECT
        CASE WHEN %(counted)s THEN %(rows)s::bigint ELSE (SELECT inserted FROM view) END AS rows,
        coalesce(%(bytes)s::bigint, (SELECT pg_total_relation_size(oid) FROM view)) AS bytes,
        coalesce(%(finished)s::timestamptz, clock_timestamp()) AS finished
), timed AS MATERIALIZED (
    SELECT *, extract(epoch FROM finished - %(started)s::timestamptz) AS seconds FROM measured
), closed AS (
    UPDATE reporting.seeder_run_history
    SET status = 'success', start_time = %(started)s, finish_time = finished,
        duration_seconds = CASE WHEN NOT %(skipped)s THEN round(seconds) END,
        records_processed = rows, bytes_processed = bytes, memory_usage_mb = %(memory)s,
        cpu_percentage = round(100 * %(cpu_seconds)s::numeric / nullif(seconds, 0)), errors = NULL,
        consecutive_failures = 0, updated_at = now()
    FROM timed
    WHERE id = ANY (%(ids)s::bigint[]) AND status NOT IN ('success', 'error')
    RETURNING id
), latest AS (
    UPDATE reporting.seeder_job_status
    SET status = 'success', start_time = %(started)s, last_run_id = %(run)s,
        duration_seconds = CASE WHEN %(skipped)s THEN duration_seconds ELSE round(seconds) END, last_errors = NULL,
        consecutive_failures = 0, updated_at = now()
    FROM timed
    WHERE table_name = ANY (%(names)s::text[]) AND (SELECT count(*) FROM closed) > 0
)
SELECT
    (SELECT count(*) FROM closed), rows, bytes, finished, (SELECT inserted FROM view), (SELECT deleted FROM view)
FROM timed;

-- name: mark_status_succeeded
-- Write the status row of a success, unless it is about a refresh that started later.
UPDATE reporting.seeder_job_status
SET status = 'success', start_time = %(started)s, last_run_id = %(run)s, last_errors = NULL, consecutive_failures = 0,
    duration_seconds = round(extract(epoch FROM %(finished)s::timestamptz - %(started)s::timestamptz)), updated_at = now()
WHERE table_name = ANY (%(names)s::text[]) AND coalesce(start_time <= %(started)s, true)
RETURNING 1;

-- name: keep_failures
-- Show the failure of a view of the same name in another database, although this one succeeded. The last refresh of each of
-- its manifests counts.
UPDATE reporting.seeder_job_status AS s
SET status = 'error', last_errors = last.errors, consecutive_failures = last.consecutive_failures
FROM (
    SELECT DISTINCT ON (h.report_type, h.manifest_id) h.table_name, h.status, h.errors, h.consecutive_failures
    FROM unnest(%(report_types)s::text[], %(manifest_ids)s::integer[]) AS other (report_type, manifest_id)
    JOIN reporting.seeder_run_history AS h USING (report_type, manifest_id)
    WHERE h.table_name = ANY (%(names)s::text[])
        AND (h.status = 'success' OR h.status = 'error' AND h.consecutive_failures > 0)
    ORDER BY h.report_type, h.manifest_id, h.id DESC
) AS last
WHERE last.status = 'error' AND s.table_name = last.table_name
RETURNING 1;

-- name: restore_statuses
-- Give views that this run did not start their last state back, which is that of their latest refresh that started. The
-- other columns still have it. A view that was never refreshed has none, so it keeps the reason.
UPDATE reporting.seeder_job_status AS s
SET status = CASE WHEN s.consecutive_failures > 0 THEN 'error' ELSE coalesce(latest.status, 'error') END,
    last_run_id = coalesce(latest.run_id, s.last_run_id),
    last_errors = CASE WHEN latest.run_id IS NULL AND s.last_errors IS NULL THEN %(reason)s ELSE s.last_errors END,
    updated_at = now()
FROM reporting.seeder_job_status AS old
LEFT JOIN LATERAL (
    SELECT h.status, h.run_id
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = old.table_name AND h.start_time <= old.start_time AND h.run_id <> %(run)s
        AND h.status IN ('success', 'error')
    ORDER BY h.start_time DESC, h.id DESC
    LIMIT 1
) AS latest ON true
WHERE s.table_name = old.table_name AND old.table_name = ANY (%(names)s::text[])
    AND s.last_run_id = %(run)s AND s.status = 'pending'
RETURNING 1;

-- name: latest_rows
-- For each name, the latest row, the latest one that ended and the latest success, of some manifests or of any. With
-- coalesce() and unnest(), the planner reads each name's index from its end; for a constant name with many rows it would read
-- the index of all start times.
SELECT latest.id
FROM unnest(%(names)s::text[]) AS wanted (table_name)
CROSS JOIN (VALUES (NULL), ('{success,error}'::text[]), ('{success}')) AS kind (statuses)
CROSS JOIN LATERAL (
    SELECT h.id
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = wanted.table_name AND coalesce(h.status = ANY (kind.statuses), true)
        AND (%(report_types)s::text[] IS NULL OR coalesce((h.report_type, h.manifest_id) IN (
            SELECT * FROM unnest(%(report_types)s::text[], %(manifest_ids)s::integer[])
        ), false))
    ORDER BY h.start_time DESC, h.id
    LIMIT 1
) AS latest;

-- name: held_views
-- Views whose last finished refresh was held for one of some reasons, with their manifests. Reads one or two history rows of
-- each failing view.
SELECT s.table_name, s.report_type, s.manifest_id
FROM reporting.seeder_job_status AS s
CROSS JOIN LATERAL (
    SELECT m.reason
    FROM reporting.seeder_run_history AS h
    JOIN reporting.seeder_run_metrics AS m ON m.history_id = h.id
    WHERE h.table_name = s.table_name AND h.status = 'error' AND m.reason IS NOT NULL
    ORDER BY h.start_time DESC
    LIMIT 1
) AS latest
WHERE s.consecutive_failures > 0 AND latest.reason = ANY (%(reasons)s::text[]);

-- name: refreshes_by_other_runs
-- Successful refreshes of a view by other runs than one since a time, the latest first.
SELECT run_id, report_type, manifest_id, start_time, finish_time, records_processed, bytes_processed
FROM reporting.seeder_run_history
WHERE table_name = ANY (%(names)s::text[]) AND status = 'success' AND start_time > %(after)s
    AND run_id IS DISTINCT FROM %(excluded_run)s AND finish_time IS NOT NULL
ORDER BY start_time DESC;

-- name: close_run
-- Set the totals of a run from its history rows, unless they are set. What has not ended was interrupted.
UPDATE reporting.seeder_run AS r
SET finished_at = clock_timestamp(), stopped_by = %(stopped_by)s, manifests = t.manifests, succeeded = t.succeeded,
    failed = t.failed, held = t.held, interrupted = t.interrupted, agencies = t.agencies
FROM (
    SELECT
        coalesce(sum(agency.manifests), 0) AS manifests, coalesce(sum(agency.succeeded), 0) AS succeeded,
        coalesce(sum(agency.failed), 0) AS failed, coalesce(sum(agency.held), 0) AS held,
        coalesce(sum(agency.interrupted + agency.open), 0) AS interrupted,
        coalesce(jsonb_object_agg(agency.agency_slug, jsonb_build_object(
            'manifests', agency.manifests, 'succeeded', agency.succeeded, 'failed', agency.failed, 'held', agency.held,
            'interrupted', agency.interrupted + agency.open
        )), '{{}}') AS agencies
    FROM ({counts_of_runs}) AS agency
) AS t
WHERE r.run_id = %(run)s AND r.finished_at IS NULL;
