-- Parts of the statements that list manifests with the latest state of their views, in the order in which they are combined.

-- name: listed_manifests
-- A parameter that is null does not filter.
WITH enabled AS (
    SELECT 'custom' AS report_type, m.id AS manifest_id, m.table_name, m.report_name, m.agency_id, m.agency_slug, m.database_id
    FROM reporting.seeder_custom_report_manifest AS m
    WHERE m.enabled
    UNION ALL
    SELECT 'canned', s.id, r.table_name, r.report_name, s.agency_id, s.agency_slug, r.database_id
    FROM reporting.seeder_canned_report_manifest AS s
    JOIN reporting.seeder_canned_report AS r ON r.id = s.canned_report_id
), filtered AS NOT MATERIALIZED (
    SELECT *
    FROM enabled
    WHERE (%(visible_agencies)s::text[] IS NULL OR agency_slug = ANY (%(visible_agencies)s::text[]))
        AND (%(agencies)s::text[] IS NULL OR agency_slug = ANY (%(agencies)s::text[]))
        AND (%(report_types)s::text[] IS NULL OR report_type = ANY (%(report_types)s::text[]))
        AND (%(manifest_id)s::integer IS NULL OR manifest_id = %(manifest_id)s::integer)
        AND (%(table_name)s::text IS NULL OR table_name = %(table_name)s::text)
        AND (%(search)s::text IS NULL OR strpos(lower(table_name), lower(%(search)s::text)) > 0
            OR strpos(lower(report_name), lower(%(search)s::text)) > 0)
),

-- name: by_manifest
listed AS (
    SELECT * FROM filtered
),

-- name: by_view
-- The first manifest represents the view.
listed AS (
    SELECT DISTINCT ON (table_name) *
    FROM filtered
    ORDER BY table_name, report_type DESC, manifest_id
),

-- name: latest_state
-- The latest state of each view, as the beginning of a WITH clause. A view whose run does not hold its lock, because it was
-- killed, is interrupted: neither pending nor running. MATERIALIZED, so that the locks are read once.
held_lock AS MATERIALIZED (
    SELECT l.classid::bigint << 32 | l.objid::bigint AS hash
    FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
), latest_state AS NOT MATERIALIZED (
    SELECT
        s.table_name, s.start_time, s.duration_seconds, s.consecutive_failures, s.last_run_id, s.last_errors,
        CASE WHEN known.was_killed THEN 'error' ELSE s.status END AS status, s.status AS stored_status,
        known.was_killed OR s.status = 'error' AND starts_with(coalesce(s.last_errors, ''), 'interrupted:') AS is_interrupted
    FROM reporting.seeder_job_status AS s
    CROSS JOIN LATERAL (
        SELECT s.status IN ('pending', 'running')
            AND hashtextextended(%(run_lock)s || s.last_run_id, 0) NOT IN (SELECT hash FROM held_lock) AS was_killed
    ) AS known
)

-- name: results_of_latest_states
-- The latest states of views, with the reason of the latest failure or success if it is recorded. It follows latest_state.
-- For coalesce() see latest_results.
SELECT s.table_name, s.status, s.is_interrupted, (
    SELECT m.reason
    FROM (
        SELECT h.id
        FROM reporting.seeder_run_history AS h
        WHERE h.table_name = s.table_name AND coalesce(h.status = s.status, false)
        ORDER BY h.start_time DESC
        LIMIT 1
    ) AS latest
    JOIN {metrics} AS m ON m.history_id = latest.id
) AS reason
FROM latest_state AS s
WHERE s.table_name = ANY (%(names)s::text[]);

-- name: job_states
-- It follows latest_state. The status row has the last success of a view that neither failed nor runs, so that the history is read only for other
-- views. LIMIT, so that the planner looks these views up. OFFSET and MATERIALIZED, so that each part runs once; only the
-- columns that a statement uses pass an OFFSET.
, job AS NOT MATERIALIZED (
    SELECT
        listed.*, s.status, coalesce(s.is_interrupted, false) AS is_interrupted, s.start_time, s.duration_seconds, coalesce(s.consecutive_failures, 0) AS consecutive_failures,
        CASE WHEN s.consecutive_failures = 0 AND s.stored_status IN ('success', 'pending') THEN s.start_time ELSE (
            SELECT h.start_time
            FROM reporting.seeder_run_history AS h
            WHERE h.table_name = listed.table_name AND h.status = 'success'
            ORDER BY h.start_time DESC
            LIMIT 1
        ) END AS last_success_at
    FROM listed
    LEFT JOIN latest_state AS s USING (table_name)
    OFFSET 0
), usual AS MATERIALIZED (
    SELECT running.table_name, latest.duration
    FROM reporting.seeder_job_status AS running
    CROSS JOIN LATERAL (
        SELECT h.finish_time - h.start_time AS duration
        FROM reporting.seeder_run_history AS h
        WHERE h.table_name = running.table_name AND h.status = 'success' AND h.finish_time IS NOT NULL
            AND h.duration_seconds IS NOT NULL
        ORDER BY h.start_time DESC
        LIMIT 1
    ) AS latest
    WHERE running.status = 'running'
), rated AS (
    SELECT
        *,
        consecutive_failures > 0 AS failing,
        -- A contract decides instead of the age of the last success, if it can be judged. One subtraction for all.
        last_success_at IS NULL OR coalesce(table_name = ANY (%(late_tables)s::text[]), false)
            OR last_success_at < (SELECT now() - %(stale_after)s::interval)
                AND (table_name <> ALL (%(unjudged_tables)s::text[]) AND (
                    table_name = ANY (%(contract_tables)s::text[]) OR table_name IN (
                        SELECT m.table_name
                        FROM reporting.seeder_custom_report_manifest AS m
                        WHERE m.enabled AND m.agency_slug = ANY (%(contract_agencies)s::text[])
                        UNION ALL
                        SELECT r.table_name
                        FROM reporting.seeder_canned_report_manifest AS s
                        JOIN reporting.seeder_canned_report AS r ON r.id = s.canned_report_id
                        WHERE s.agency_slug = ANY (%(contract_agencies)s::text[]) AND r.table_name IS NOT NULL
                    )
                )) IS NOT TRUE AS stale,
        CASE WHEN status = 'running'
            THEN (SELECT duration FROM usual WHERE usual.table_name = job.table_name)
        END AS usual_duration
    FROM job
), judged AS (
    SELECT
        *,
        -- A usual duration below a second counts as a second.
        coalesce(
            status = 'running' AND usual_duration IS NOT NULL
                AND now() - start_time > %(long_running_factor)s * greatest(usual_duration, interval '1 second'),
            false
        ) AS long_running
    FROM rated
), found AS NOT MATERIALIZED (
    SELECT *, 4 * long_running::integer + 2 * failing::integer + stale::integer AS attention
    FROM judged
    WHERE (%(statuses)s::text[] IS NULL OR status = ANY (%(statuses)s::text[]))
        AND (%(failing)s::boolean IS NULL OR failing = %(failing)s::boolean)
        AND (%(stale)s::boolean IS NULL OR stale = %(stale)s::boolean)
        AND (%(long_running)s::boolean IS NULL OR long_running = %(long_running)s::boolean)
)

-- name: job_page
, page AS (
    SELECT *
    FROM (SELECT *, count(*) OVER () AS total FROM found) AS counted
    WHERE {beyond_cursor}
    ORDER BY {order}
    LIMIT %(limit)s OFFSET %(offset)s
)

-- name: troubled_jobs
-- The first jobs of each kind of trouble: a job can be of several. A late one is stale and does not fail.
, page AS (
    SELECT *
    FROM (
        SELECT
            kinds.*, NULL::bigint AS total,
            count(*) FILTER (WHERE failing) OVER () AS all_failing,
            count(*) FILTER (WHERE long_running) OVER () AS all_long_running,
            count(*) FILTER (WHERE late) OVER () AS all_late,
            row_number() OVER (PARTITION BY failing ORDER BY {order}) AS failing_rank,
            row_number() OVER (PARTITION BY long_running ORDER BY {order}) AS long_running_rank,
            row_number() OVER (PARTITION BY late ORDER BY {order}) AS late_rank
        FROM (SELECT *, stale AND NOT failing AS late FROM found WHERE attention > 0) AS kinds
    ) AS ranked
    WHERE failing AND failing_rank <= %(max_failing)s OR long_running AND long_running_rank <= %(max_others)s
        OR late AND late_rank <= %(max_others)s
)

-- name: shown_jobs
-- The last run of a view is null if it refreshed the view only for agencies that the user may not see: the user could not
-- open it. Its history row started at most an hour before the status row, whose time can come from another clock.
, sharing AS (
    SELECT table_name, array_agg(agency_slug) AS agencies
    FROM filtered
    WHERE %(by_view)s::boolean AND table_name IN (SELECT table_name FROM page)
    GROUP BY table_name
)
SELECT
    report_type, manifest_id, table_name, report_name, agency_id, agency_slug, agencies, status, is_interrupted,
    start_time, duration_seconds, consecutive_failures, visible.last_run_id, s.last_errors AS errors, last_success_at,
    usual_duration, failing, stale, long_running, to_jsonb({sort_key}) #>> '{{}}' AS sort_value, {counts}
FROM page
LEFT JOIN sharing USING (table_name)
LEFT JOIN LATERAL (
    SELECT last_run_id, last_errors FROM reporting.seeder_job_status WHERE table_name = page.table_name LIMIT 1
) AS s ON true
LEFT JOIN LATERAL (
    SELECT s.last_run_id
    WHERE %(visible_agencies)s::text[] IS NULL OR EXISTS (
        SELECT
        FROM reporting.seeder_run_history AS h
        WHERE h.table_name = page.table_name
            AND h.start_time >= coalesce(page.start_time - interval '1 hour', '-infinity')
            AND coalesce(h.run_id = s.last_run_id AND h.agency_slug = ANY (%(visible_agencies)s::text[]), false)
    )
) AS visible ON true
ORDER BY {order};

-- name: jobs_beyond_cursor
-- Of an ascending order nulls are first, of a descending one last. The cursor's sort value has the type of the column.
(
    ({sort_key} IS NOT NULL, {sort_key}) {comparison} (%(sort_value)s::text IS NOT NULL, %(sort_value)s::text::{type})
    OR {sort_key} IS NOT DISTINCT FROM %(sort_value)s::text::{type}
        AND (table_name, report_type, manifest_id)
            {tie_comparison} (%(cursor_table_name)s::text, %(cursor_report_type)s::text, %(cursor_manifest_id)s::integer)
)

-- name: job_totals
SELECT
    count(*) AS jobs,
    count(*) FILTER (WHERE NOT stale AND NOT failing) AS fresh,
    count(*) FILTER (WHERE failing) AS failing,
    count(*) FILTER (WHERE status = 'running') AS running,
    count(*) FILTER (WHERE long_running) AS long_running,
    count(*) FILTER (WHERE stale) AS stale
FROM found;

-- name: known_agencies
-- Each agency with manifests, even disabled ones.
, known AS (
    SELECT agency_slug, min(agency_id) AS agency_id
    FROM (
        SELECT agency_slug, agency_id FROM reporting.seeder_custom_report_manifest
        UNION ALL
        SELECT agency_slug, agency_id FROM reporting.seeder_canned_report_manifest
    ) AS manifest
    WHERE (%(visible_agencies)s::text[] IS NULL OR agency_slug = ANY (%(visible_agencies)s::text[]))
        AND (%(agencies)s::text[] IS NULL OR agency_slug = ANY (%(agencies)s::text[]))
    GROUP BY agency_slug
)

-- name: agency_totals
-- A shared view counts once.
SELECT
    {slug} AS slug,
    {agency_id} AS agency_id,
    count(manifest_id) AS manifests,
    count(DISTINCT table_name) AS views,
    count(manifest_id) FILTER (WHERE status IS NULL) AS never_run,
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'running') AS running,
    count(*) FILTER (WHERE status = 'success') AS success,
    count(*) FILTER (WHERE status = 'error') AS error,
    count(*) FILTER (WHERE failing) AS failing,
    count(*) FILTER (WHERE stale) AS stale,
    count(*) FILTER (WHERE long_running) AS long_running,
    max(last_success_at) AS last_success_at
FROM {source}
GROUP BY {group};

-- name: agency_ages
-- The agencies in trouble first. A view without a success makes the age unknown.
SELECT
    agency_slug AS slug,
    count(DISTINCT table_name) FILTER (WHERE failing) AS failing,
    count(DISTINCT table_name) FILTER (WHERE stale AND NOT failing) AS late,
    CASE WHEN count(last_success_at) = count(*) THEN min(last_success_at) END AS oldest_success_at,
    min(last_success_at) FILTER (WHERE NOT stale AND NOT failing) AS oldest_fresh_at
FROM found
GROUP BY agency_slug
ORDER BY bool_or(failing) DESC, bool_or(stale) DESC, agency_slug;

-- name: latest_results
-- Reason and notes of the latest failure or success of each job's view, even for another manifest. coalesce()
-- hides the condition from the planner. Otherwise it expects few matching rows, and sorts all rows of a view instead of
-- reading the latest.
SELECT job.report_type, job.manifest_id, m.reason, m.sqlstate, m.notes
FROM unnest(%(table_names)s::text[], %(report_types)s::text[], %(manifest_ids)s::integer[], %(statuses)s::text[])
    AS job (table_name, report_type, manifest_id, status)
CROSS JOIN LATERAL (
    SELECT h.id
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = job.table_name AND coalesce(h.status = job.status, false)
    ORDER BY h.start_time DESC
    LIMIT 1
) AS latest
JOIN reporting.seeder_run_metrics AS m ON m.history_id = latest.id
WHERE m.reason IS NOT NULL OR m.notes IS NOT NULL;
