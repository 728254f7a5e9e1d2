-- The monitoring page: nights, the grid of runs and views, and since when views fail.

-- name: night_runs
-- Of a period, the scheduled runs except those by freshness, those at least half as large as the largest, and the latest ones. Only these are
-- searched for agencies, because a run of many agencies has a large document.
WITH recent AS MATERIALIZED (
    SELECT
        run_id, description, requested_by, started_at, finished_at, stopped_by,
        starts_with(requested_by, %(schedules)s) AND requested_by <> %(due_views)s
            OR 2 * manifests >= max(manifests) OVER () AS is_regular,
        row_number() OVER (ORDER BY started_at DESC) AS age
    FROM reporting.seeder_run
    WHERE started_at > (SELECT max(started_at) FROM reporting.seeder_run) - %(period)s::interval
)
SELECT run_id, description, requested_by, started_at, finished_at, stopped_by, is_regular
FROM recent
WHERE (is_regular OR age <= %(latest)s)
    AND (%(agencies)s::text[] IS NULL OR EXISTS (
        SELECT FROM reporting.seeder_run AS r WHERE r.run_id = recent.run_id AND r.agencies ?| %(agencies)s::text[]
    ))
ORDER BY started_at DESC
LIMIT %(max_runs)s;

-- name: night_counts
-- The views of nights, by their last result in the night, and the listed views without one. It follows listed_manifests of
-- job_list_queries.sql. A failed row counts before others of the same run. The rows of a run are inserted together, so that a
-- range of ids selects their metrics. Otherwise the planner would read those of all runs. Names are sorted last, when few are
-- left, and those of all views in the order of their bytes.
latest AS MATERIALIZED (
    SELECT DISTINCT ON (night.number, h.table_name COLLATE "C")
        night.number, h.table_name, h.id, h.status, h.start_time,
        coalesce(starts_with(h.errors, 'interrupted:'), false) AS is_interrupted
    FROM unnest(%(run_ids)s::text[], %(numbers)s::integer[]) AS night (run_id, number)
    JOIN reporting.seeder_run_history AS h USING (run_id)
    WHERE %(agencies)s::text[] IS NULL OR h.agency_slug = ANY (%(agencies)s::text[])
    ORDER BY night.number, h.table_name COLLATE "C", h.start_time DESC, h.status = 'error' DESC, h.id
), judged AS (
    SELECT
        latest.*, m.reason,
        coalesce(s.consecutive_failures = 0 AND s.status = 'success' AND s.start_time > latest.start_time, false) AS is_repaired
    FROM latest
    LEFT JOIN reporting.seeder_job_status AS s ON latest.status = 'error' AND s.table_name = latest.table_name
    LEFT JOIN {metrics} AS m ON m.history_id = latest.id
        AND m.history_id BETWEEN (SELECT min(id) FROM latest) AND (SELECT max(id) FROM latest)
), absent AS (
    SELECT night.number, array_agg(listed.table_name) AS views
    FROM (SELECT DISTINCT number FROM latest) AS night
    CROSS JOIN (SELECT DISTINCT table_name FROM filtered) AS listed
    WHERE NOT EXISTS (
        SELECT FROM latest WHERE latest.number = night.number AND latest.table_name = listed.table_name
    )
    GROUP BY night.number
), counted AS (
    SELECT
        number,
        count(*) AS views,
        count(*) FILTER (WHERE status = 'success' AND reason IS DISTINCT FROM 'skipped') AS refreshed,
        count(*) FILTER (WHERE status = 'success' AND reason = 'skipped') AS skipped,
        array_agg(table_name) FILTER (
            WHERE status = 'error' AND NOT is_interrupted AND reason = ANY (%(held)s::text[]) IS NOT TRUE
        ) AS failed,
        count(*) FILTER (WHERE status = 'error' AND NOT is_interrupted AND reason = ANY (%(held)s::text[])) AS held,
        count(*) FILTER (WHERE status = 'error' AND is_interrupted) AS interrupted,
        count(*) FILTER (WHERE status = 'running') AS running,
        count(*) FILTER (WHERE status = 'pending') AS pending,
        count(*) FILTER (WHERE status = 'error' AND is_repaired) AS repaired
    FROM judged
    GROUP BY number
)
SELECT
    number, counted.views, refreshed, skipped, held, interrupted, running, pending, repaired,
    coalesce(array_length(failed, 1), 0) AS failed,
    coalesce(array_length(absent.views, 1), 0) AS absent,
    ARRAY(SELECT name FROM unnest(failed) AS name ORDER BY name LIMIT %(named)s) AS failed_views,
    ARRAY(SELECT name FROM unnest(absent.views) AS name ORDER BY name LIMIT %(named)s) AS absent_views
FROM counted
LEFT JOIN absent USING (number);

-- name: failing_since
-- The first failure of each view after its last success. coalesce() hides the condition from the planner. Otherwise it would
-- read all failures in the order of time.
SELECT job.table_name, first.start_time
FROM unnest(%(table_names)s::text[], %(last_successes)s::timestamptz[]) AS job (table_name, last_success_at)
CROSS JOIN LATERAL (
    SELECT h.start_time
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = job.table_name AND h.start_time > coalesce(job.last_success_at, '-infinity')
        AND coalesce(h.status = 'error', false)
    ORDER BY h.start_time
    LIMIT 1
) AS first;

-- name: expected_trial
-- Rows are inserted in the order of the plan. A view that never started has no start in its status row. MATERIALIZED, so that
-- the run's rows are found by its id, not by going through the history in the order of ids.
WITH planned AS MATERIALIZED (
    SELECT id, table_name, report_type, manifest_id
    FROM reporting.seeder_run_history
    WHERE run_id = %(run)s AND (status = 'pending' OR NOT %(open)s)
)
SELECT planned.table_name
FROM planned
JOIN reporting.seeder_job_status AS s USING (table_name)
LEFT JOIN reporting.seeder_custom_report_manifest AS custom
    ON planned.report_type = 'custom' AND custom.id = planned.manifest_id AND custom.enabled
    AND custom.table_name = planned.table_name
LEFT JOIN reporting.seeder_canned_report_manifest AS subscription
    ON planned.report_type = 'canned' AND subscription.id = planned.manifest_id
LEFT JOIN reporting.seeder_canned_report AS canned ON canned.id = subscription.canned_report_id
CROSS JOIN LATERAL (SELECT coalesce(custom.database_id, canned.database_id) AS id) AS database
WHERE s.consecutive_failures = 0 AND s.status <> 'error' AND s.start_time IS NOT NULL
    AND database.id <> ALL (%(others)s::integer[])
    AND coalesce(database.id = ANY (%(own)s::integer[]), database.id IS NOT NULL AND %(own)s::integer[] IS NULL)
ORDER BY planned.id
LIMIT 1;

-- name: grid_cells
-- The last row of each view in the runs of each column. A failed row counts before others of the same start.
SELECT latest.table_name, latest.number, latest.run_id, latest.status, latest.start_time, latest.finish_time,
    latest.is_interrupted, m.reason
FROM (
    SELECT DISTINCT ON (h.table_name, col.number)
        h.table_name, col.number, h.id, h.run_id, h.status, h.start_time, h.finish_time,
        coalesce(starts_with(h.errors, 'interrupted:'), false) AS is_interrupted
    FROM unnest(%(table_names)s::text[]) AS view (table_name)
    CROSS JOIN LATERAL (
        SELECT id, table_name, run_id, status, start_time, finish_time, errors
        FROM reporting.seeder_run_history AS h
        WHERE h.table_name = view.table_name AND h.start_time >= %(since)s
            AND coalesce(%(agencies)s::text[] IS NULL OR h.agency_slug = ANY (%(agencies)s::text[]), false)
        ORDER BY h.start_time DESC
        LIMIT %(max_rows)s
    ) AS h
    JOIN unnest(%(run_ids)s::text[], %(numbers)s::integer[]) AS col (run_id, number) ON col.run_id = h.run_id
    ORDER BY h.table_name, col.number, h.start_time DESC, h.status = 'error' DESC, h.id
) AS latest
LEFT JOIN {metrics} AS m ON m.history_id = latest.id;
