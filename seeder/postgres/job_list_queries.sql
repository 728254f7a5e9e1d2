-- The manifests with the latest state of their views: what the monitoring list is made of. The parts are put together by
-- jobs.py, one statement from each group, in the order in which they stand here.

-- name: listed_manifests
-- Who wants what. Whom a parameter does not concern, it is null.
WITH asked AS (
    SELECT 'custom' AS report_type, m.id AS manifest_id, m.table_name, m.report_name, m.agency_id, m.agency_slug
    FROM reporting.seeder_custom_report_manifest AS m
    WHERE m.enabled
    UNION ALL
    SELECT 'canned', s.id, r.table_name, r.report_name, s.agency_id, s.agency_slug
    FROM reporting.seeder_canned_report_manifest AS s
    JOIN reporting.seeder_canned_report AS r ON r.id = s.canned_report_id
), wanted AS NOT MATERIALIZED (
    SELECT *
    FROM asked
    WHERE (%(visible_agencies)s::text[] IS NULL OR agency_slug = ANY (%(visible_agencies)s::text[]))
        AND (%(agency)s::text IS NULL OR agency_slug = %(agency)s::text)
        AND (%(report_type)s::text IS NULL OR report_type = %(report_type)s::text)
        AND (%(manifest_id)s::integer IS NULL OR manifest_id = %(manifest_id)s::integer)
        AND (%(table_name)s::text IS NULL OR table_name = %(table_name)s::text)
        AND (%(search)s::text IS NULL OR strpos(lower(table_name), lower(%(search)s::text)) > 0
            OR strpos(lower(report_name), lower(%(search)s::text)) > 0)
),

-- name: by_manifest
shown AS (
    SELECT * FROM wanted
),

-- name: by_view
-- The first manifest speaks for the view.
shown AS (
    SELECT DISTINCT ON (table_name) *
    FROM wanted
    ORDER BY table_name, report_type DESC, manifest_id
),

-- name: job_states
-- A view that did not fail last, and does not run, says in its status when it succeeded last, also while it waits for its
-- turn. Of the others the history is asked whether that was lately; when it was, is looked up for the page alone. Whatever
-- takes less than a second is not long-running: a multiple of next to nothing says nothing. Materialized, or each fact
-- would be found out again wherever it is used.
job AS MATERIALIZED (
    SELECT
        shown.*,
        s.status,
        s.start_time,
        s.duration_seconds,
        coalesce(s.consecutive_failures, 0) AS consecutive_failures,
        CASE s.status WHEN 'running' THEN (
            SELECT h.finish_time - h.start_time
            FROM reporting.seeder_run_history AS h
            WHERE h.table_name = shown.table_name AND h.status = 'success' AND h.finish_time IS NOT NULL
            ORDER BY h.start_time DESC
            LIMIT 1
        ) END AS usual,
        CASE WHEN s.consecutive_failures = 0 AND s.status IN ('success', 'pending')
            THEN coalesce(s.start_time < now() - %(stale_after)s::interval, true)
            ELSE NOT EXISTS (
                SELECT
                FROM reporting.seeder_run_history AS h
                WHERE h.table_name = shown.table_name AND h.status = 'success'
                    AND h.start_time >= now() - %(stale_after)s::interval
            )
        END AS stale
    FROM shown
    LEFT JOIN reporting.seeder_job_status AS s USING (table_name)
), judged AS (
    SELECT
        *,
        consecutive_failures > 0 AS failing,
        coalesce(
            status = 'running' AND usual IS NOT NULL
                AND now() - start_time > %(long_running_factor)s * greatest(usual, interval '1 second'),
            false
        ) AS long_running
    FROM job
), found AS NOT MATERIALIZED (
    SELECT *, 4 * long_running::integer + 2 * failing::integer + stale::integer AS attention
    FROM judged
    WHERE (%(status)s::text IS NULL OR status = %(status)s::text)
        AND (%(failing)s::boolean IS NULL OR failing = %(failing)s::boolean)
        AND (%(stale)s::boolean IS NULL OR stale = %(stale)s::boolean)
        AND (%(long_running)s::boolean IS NULL OR long_running = %(long_running)s::boolean)
)

-- name: job_page
-- One page, and how many there are in all. The run that refreshed a view last may have done that for other agencies than
-- who looks may see; then its name leads nowhere. Its row is among the latest of the view, by clocks read one after another.
, page AS (
    SELECT *, (SELECT count(*) FROM found) AS every
    FROM found
    ORDER BY {order}
    LIMIT %(limit)s OFFSET %(offset)s
), sharing AS (
    SELECT table_name, array_agg(agency_slug) AS agencies
    FROM wanted
    WHERE table_name IN (SELECT table_name FROM page)
    GROUP BY table_name
)
SELECT
    report_type, manifest_id, table_name, report_name, agency_id, agency_slug, agencies, status, start_time,
    duration_seconds, consecutive_failures, seen.last_run_id, last_errors, last_success, usual, failing, stale, long_running,
    every
FROM page
JOIN sharing USING (table_name)
LEFT JOIN (SELECT table_name, last_run_id, last_errors FROM reporting.seeder_job_status) AS said USING (table_name)
LEFT JOIN LATERAL (
    SELECT said.last_run_id
    WHERE %(visible_agencies)s::text[] IS NULL OR EXISTS (
        SELECT
        FROM reporting.seeder_run_history AS h
        WHERE h.table_name = page.table_name
            AND h.start_time >= coalesce(page.start_time - interval '1 hour', '-infinity')
            AND coalesce(h.run_id = said.last_run_id AND h.agency_slug = ANY (%(visible_agencies)s::text[]), false)
    )
) AS seen ON true
LEFT JOIN LATERAL (
    SELECT h.start_time AS last_success
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = page.table_name AND h.status = 'success'
    ORDER BY h.start_time DESC
    LIMIT 1
) AS good ON true
ORDER BY {order};

-- name: job_totals
SELECT
    count(*),
    count(*) FILTER (WHERE NOT stale AND NOT failing),
    count(*) FILTER (WHERE failing),
    count(*) FILTER (WHERE status = 'running'),
    count(*) FILTER (WHERE long_running),
    count(*) FILTER (WHERE stale)
FROM found;

-- name: recent_runs
-- The latest runs of each of these jobs, the latest first. Inside coalesce() the server knows nothing of how rare such rows
-- are: else it takes them for so rare that it reads and sorts everything there is of a view, instead of its latest rows.
SELECT wanted.table_name, recent.*
FROM unnest(%(table_names)s::text[], %(report_types)s::text[], %(manifest_ids)s::integer[])
    AS wanted (table_name, report_type, manifest_id)
CROSS JOIN LATERAL (
    SELECT h.run_id, h.status, h.start_time, h.finish_time, h.records_processed
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = wanted.table_name
        AND coalesce(h.report_type = wanted.report_type AND h.manifest_id = wanted.manifest_id, false)
    ORDER BY h.start_time DESC
    LIMIT %(max_runs)s
) AS recent
ORDER BY wanted.table_name, recent.start_time DESC;

-- name: failure_reasons
-- Why the view of each of these jobs failed when it last did, be it for another manifest. As for coalesce(), see
-- recent_runs.
SELECT wanted.report_type, wanted.manifest_id, m.reason, m.sqlstate
FROM unnest(%(table_names)s::text[], %(report_types)s::text[], %(manifest_ids)s::integer[])
    AS wanted (table_name, report_type, manifest_id)
CROSS JOIN LATERAL (
    SELECT h.id
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = wanted.table_name AND coalesce(h.status = 'error', false)
    ORDER BY h.start_time DESC
    LIMIT 1
) AS latest
JOIN reporting.seeder_run_metrics AS m ON m.history_id = latest.id
WHERE m.reason IS NOT NULL;
