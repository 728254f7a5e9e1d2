-- A platform with a history, to measure lists: %(views)s views and %(runs)s nights. Run by platform.py.

-- name: manifests
-- Of 100 views, 96 belong to one agency and 4 are shared by five agencies each.
INSERT INTO reporting.seeder_custom_report_manifest
    (table_name, report_name, agency_id, agency_slug, query, database_id)
SELECT 'reporting.agency_' || a || '_report_' || n, 'Report ' || n || ' of agency ' || a, a, 'agency-' || a, 'SELECT 1', 1
FROM generate_series(1, %(views)s * 96 / 100) AS n, LATERAL (SELECT 1 + n %% 200) AS of (a);
INSERT INTO reporting.seeder_canned_report (table_name, report_name, query, database_id)
SELECT 'reporting.canned_' || n, 'Canned report ' || n, 'SELECT 1', 1
FROM generate_series(1, %(views)s * 4 / 100) AS n;
INSERT INTO reporting.seeder_canned_report_manifest (agency_id, agency_slug, canned_report_id)
SELECT a, 'agency-' || a, r.id
FROM reporting.seeder_canned_report AS r, generate_series(0, 4) AS s, LATERAL (SELECT 1 + (r.id * 7 + s * 41) %% 200) AS of (a);

-- name: history
-- A run each night, the last one an hour ago. Of 1,000 views, 3 always failed and 5 failed in the last 60 nights; of the
-- other views, every 50th refresh failed.
INSERT INTO reporting.seeder_run_history
    (run_id, manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status, start_time, finish_time,
    duration_seconds, records_processed, bytes_processed, consecutive_failures, errors)
SELECT
    'night-' || lpad(night::text, 4, '0'), m.manifest_id, m.table_name, m.report_name, m.agency_id, m.agency_slug,
    m.report_type, CASE WHEN fails THEN 'error' ELSE 'success' END, started, started + duration * interval '1 second', duration,
    1000 + luck, 8192 * (1 + luck), CASE WHEN fails THEN 1 ELSE 0 END,
    CASE WHEN fails THEN 'division by zero' || repeat(E'\nCONTEXT:  SQL statement of the view', 8) END
FROM generate_series(1, %(runs)s) AS night
CROSS JOIN (
    SELECT 'custom' AS report_type, id AS manifest_id, table_name, report_name, agency_id, agency_slug
    FROM reporting.seeder_custom_report_manifest
    UNION ALL
    SELECT 'canned', s.id, r.table_name, r.report_name, s.agency_id, s.agency_slug
    FROM reporting.seeder_canned_report_manifest AS s
    JOIN reporting.seeder_canned_report AS r ON r.id = s.canned_report_id
) AS m
CROSS JOIN LATERAL (
    SELECT abs(hashtext(m.table_name)) %% 1000 AS kind, abs(hashtext(m.table_name || night)) %% 10000 AS luck
) AS random
CROSS JOIN LATERAL (
    SELECT kind < 3 OR kind < 8 AND night > %(runs)s - 60 OR luck %% 50 = 0 AS fails, 1 + luck %% 30 AS duration,
        now() - make_interval(days => %(runs)s - night, hours => 4) + luck * interval '1 second' AS started
) AS refresh;
INSERT INTO reporting.seeder_job_status
    (table_name, manifest_id, report_name, report_type, agency_id, agency_slug, status, duration_seconds, start_time,
    consecutive_failures, last_run_id, last_errors)
SELECT DISTINCT ON (table_name)
    table_name, manifest_id, report_name, report_type, agency_id, agency_slug, status, duration_seconds, start_time,
    consecutive_failures, run_id, errors
FROM reporting.seeder_run_history
WHERE run_id = 'night-' || lpad(%(runs)s::text, 4, '0')
ORDER BY table_name, report_type DESC, manifest_id;

-- name: rest
-- The row of every run, the measurements of the last 40, and four snapshots of every tenth view.
INSERT INTO reporting.seeder_run
    (run_id, description, requested_by, started_at, finished_at, workers, manifests, succeeded, failed, agencies)
SELECT
    run_id, 'every report', 'refresh_all', min(started), max(ended), 8, sum(manifests), sum(succeeded),
    sum(manifests - succeeded),
    jsonb_object_agg(agency_slug, jsonb_build_object(
        'manifests', manifests, 'succeeded', succeeded, 'failed', manifests - succeeded
    ))
FROM (
    SELECT run_id, agency_slug, min(start_time) AS started, max(finish_time) AS ended, count(*) AS manifests,
        count(*) FILTER (WHERE status = 'success') AS succeeded
    FROM reporting.seeder_run_history
    GROUP BY run_id, agency_slug
) AS of_agency
GROUP BY run_id;
INSERT INTO reporting.seeder_run_metrics (history_id, mode, attempts, worker_number, throttle_wait_seconds, lock_wait_seconds)
SELECT id, 'plain', 1, 1 + id %% 8, 0, 0
FROM reporting.seeder_run_history
WHERE start_time > now() - interval '40 days';
INSERT INTO reporting.seeder_release_snapshot
    (table_name, release_tag, captured_at, schema_hash, definition_hash, server_version, exact, row_count, column_count,
    columns, column_statistics)
SELECT
    s.table_name, 'release-' || release, now() - make_interval(days => 30 * (5 - release)), repeat('a', 64),
    repeat('b', 64), 180000, true, 1000, jsonb_array_length(c.columns), c.columns, c.statistics
FROM reporting.seeder_job_status AS s
CROSS JOIN generate_series(1, 4) AS release
CROSS JOIN (
    SELECT jsonb_agg(jsonb_build_object('name', 'column_' || n, 'type', 'text', 'nullable', true)) AS columns,
        jsonb_object_agg('column_' || n, '{"nulls": 3, "distinct": 700, "least": "a", "most": "z"}'::jsonb) AS statistics
    FROM generate_series(1, 16) AS n
) AS c
WHERE abs(hashtext(s.table_name)) %% 10 = 0;
