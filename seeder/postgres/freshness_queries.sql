-- The refreshes of views with freshness contracts.

-- name: contract_facts
-- The latest state of each view, the start of its last success, the duration of its last refresh (a skipped one has none), and
-- the reason of its latest failure if it is recorded. The status row has the last success of a view that neither failed nor
-- runs, so that the history is read only for other views, and for durations in more than whole seconds if they are required.
-- For coalesce() see latest_results. It follows latest_state.
SELECT
    wanted.table_name, s.status, coalesce(s.consecutive_failures, 0) AS failures, s.start_time, known.succeeded, success.start_time,
    CASE WHEN known.succeeded AND s.duration_seconds IS NOT NULL AND NOT %(exact)s THEN make_interval(secs => s.duration_seconds)
        ELSE ({usual_duration})
    END,
    CASE WHEN s.consecutive_failures > 0 THEN (
        SELECT m.reason
        FROM (
            SELECT h.id
            FROM reporting.seeder_run_history AS h
            WHERE h.table_name = wanted.table_name AND coalesce(h.status = 'error', false)
            ORDER BY h.start_time DESC
            LIMIT 1
        ) AS latest
        JOIN {metrics} AS m ON m.history_id = latest.id
    ) END AS reason,
    coalesce(s.is_interrupted, false) AS is_interrupted
FROM unnest(%(names)s::text[]) AS wanted (table_name)
LEFT JOIN latest_state AS s USING (table_name)
CROSS JOIN LATERAL (
    SELECT coalesce(s.consecutive_failures = 0 AND s.stored_status IN ('success', 'pending'), false) AS succeeded
) AS known
LEFT JOIN LATERAL (
    SELECT h.start_time
    FROM reporting.seeder_run_history AS h
    WHERE NOT known.succeeded AND h.table_name = wanted.table_name AND h.status = 'success' AND h.finish_time IS NOT NULL
    ORDER BY h.start_time DESC
    LIMIT 1
) AS success ON true;

-- name: usual_duration
-- Of the latest success of a view that was not skipped.
SELECT h.finish_time - h.start_time
FROM reporting.seeder_run_history AS h
WHERE h.table_name = {table_name} AND h.status = 'success' AND h.finish_time IS NOT NULL AND h.duration_seconds IS NOT NULL
ORDER BY h.start_time DESC
LIMIT 1;

-- name: listed_views
-- The enabled manifests of views. It follows listed_manifests of job_list_queries.sql.
listed AS MATERIALIZED (
    SELECT report_type, manifest_id, table_name, agency_slug, database_id
    FROM filtered
    WHERE table_name IS NOT NULL AND (%(databases)s::integer[] IS NULL OR database_id = ANY (%(databases)s::integer[]))
)

-- name: all_listed_views
SELECT table_name, agency_slug, database_id FROM listed ORDER BY report_type DESC, manifest_id;

-- name: views_to_judge
-- The manifests of views whose contracts can be other than fresh, and, if required, the numbers of the other views by their
-- agencies and their own contract. It follows listed_views. A view is certainly fresh if its name in manifests is as the
-- server prints it, its last refresh succeeded, and its data are within the bounds of all contracts of its agencies and its own.
, contract AS MATERIALIZED (
    SELECT *
    FROM unnest(
        %(contract_agencies)s::text[], %(contract_views)s::text[], %(current_since)s::timestamptz[],
        %(usable_since)s::timestamptz[], %(spares)s::interval[]
    ) AS contract (agency_slug, view_name, current_since, usable_since, spare)
), materialized_view AS MATERIALIZED (
    {materialized_view_versions}
), known AS MATERIALIZED (
    SELECT quote_ident(s.schema_name) || '.' || quote_ident(s.view_name) AS table_name, s.data_as_of
    FROM reporting.seeder_view_state AS s
    JOIN materialized_view AS m ON m.oid::bigint = s.view_oid AND m.version = s.view_xmin
        AND m.schema_name = s.schema_name AND m.view_name = s.view_name
    WHERE s.database_alias = %(database)s AND s.data_as_of IS NOT NULL
), skipped AS MATERIALIZED (
    SELECT table_name, ({usual_duration}) AS usual_duration
    FROM reporting.seeder_job_status AS s
    WHERE duration_seconds IS NULL
), rated AS MATERIALIZED (
    SELECT
        listed.*, coalesce(make_interval(secs => s.duration_seconds + 1), skipped.usual_duration, interval '0') AS usual_duration,
        CASE WHEN s.consecutive_failures = 0 AND s.status IN ('success', 'pending') THEN known.data_as_of END AS data_as_of
    FROM listed
    LEFT JOIN known ON known.table_name = listed.table_name
        AND (%(own_databases)s::integer[] IS NULL OR listed.database_id = ANY (%(own_databases)s::integer[]))
    LEFT JOIN reporting.seeder_job_status AS s ON s.table_name = listed.table_name
    LEFT JOIN skipped ON skipped.table_name = listed.table_name
), applied AS (
    SELECT rated.*, current_since, usable_since, spare FROM rated JOIN contract USING (agency_slug)
    UNION ALL
    SELECT rated.*, current_since, usable_since, spare FROM rated JOIN contract ON contract.view_name = rated.table_name
), judged AS MATERIALIZED (
    SELECT table_name
    FROM applied
    WHERE (
        data_as_of >= current_since
        OR data_as_of >= usable_since AND usual_duration < coalesce(spare, data_as_of - usable_since)
    ) IS NOT TRUE
    UNION
    SELECT table_name FROM rated WHERE %(with_unknown)s AND data_as_of IS NULL
    UNION
    SELECT unnest(%(names)s::text[])
    UNION
    (SELECT DISTINCT table_name FROM applied ORDER BY table_name LIMIT %(max_fresh)s)
), fresh AS (
    SELECT table_name, array_agg(agency_slug COLLATE "C") AS agencies
    FROM rated
    WHERE %(with_counts)s AND table_name NOT IN (SELECT table_name FROM judged)
    GROUP BY table_name
)
SELECT table_name, ARRAY[agency_slug] AS agencies, database_id, NULL::bigint AS views, report_type, manifest_id
FROM rated
WHERE table_name IN (SELECT table_name FROM judged)
UNION ALL
SELECT contract.view_name, agencies, NULL, count(*), NULL, NULL
FROM fresh
LEFT JOIN (SELECT DISTINCT view_name FROM contract) AS contract ON contract.view_name = fresh.table_name
GROUP BY contract.view_name, agencies
ORDER BY report_type DESC, manifest_id;
