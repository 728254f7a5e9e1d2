-- Reports with their history. Each paragraph is one statement, with the fields of `Scale` as parameters.

-- Transaction ids for loads and refreshes, in the order of time.
CREATE TEMPORARY TABLE clock AS
SELECT pg_current_xact_id()::text::bigint AS first_xid, began, 1999 / extract(epoch FROM now() - began) AS xids_per_second
FROM (SELECT now() - %(runs)s * interval '1 day' AS began) AS first_run;

DO $$ BEGIN
    FOR number IN 1 .. 2000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP;
END $$;

-- One agency has a third of the custom reports.
INSERT INTO reporting.seeder_custom_report_manifest (table_name, report_name, agency_id, agency_slug, query, database_id)
SELECT 'reporting.report_' || n, 'Report ' || n, agency, 'agency-' || agency, 'SELECT 1', 1
FROM generate_series(1, %(views)s * 96 / 100) AS n
CROSS JOIN LATERAL (SELECT CASE WHEN n %% 3 = 0 THEN 1 ELSE 2 + n %% (%(agencies)s - 1) END) AS owner (agency);

INSERT INTO reporting.seeder_canned_report (table_name, report_name, query, database_id)
SELECT 'reporting.canned_' || n, 'Canned report ' || n, 'SELECT 1', 1 FROM generate_series(1, %(views)s * 4 / 100) AS n;

-- A view that every other view reads, and that no enabled manifest names any more.
INSERT INTO reporting.seeder_custom_report_manifest
    (table_name, report_name, agency_id, agency_slug, query, database_id, enabled)
VALUES ('reporting.calendar', 'Calendar', 1, 'agency-1', 'SELECT 1', 1, false);

-- Every agency has the first canned report; the others have four subscriptions.
INSERT INTO reporting.seeder_canned_report_manifest (agency_id, agency_slug, canned_report_id)
SELECT agency, 'agency-' || agency, r.id
FROM reporting.seeder_canned_report AS r
CROSS JOIN LATERAL (
    SELECT n AS agency FROM generate_series(1, %(agencies)s) AS n WHERE r.id = 1
    UNION ALL
    SELECT 1 + (r.id * 7 + n * 41) %% %(agencies)s FROM generate_series(0, 3) AS n WHERE r.id > 1
) AS subscriber;

-- Of 500 views, one always failed, and ten failed in the last two weeks.
CREATE TEMPORARY TABLE report AS
SELECT *, position %% 500 = 2 AS always_fails, position %% 50 = 1 AS fails_now
FROM (
    SELECT *, dense_rank() OVER (ORDER BY md5(table_name)) AS position
    FROM (
        SELECT 'custom' AS report_type, id AS manifest_id, table_name, report_name, agency_id, agency_slug
        FROM reporting.seeder_custom_report_manifest
        WHERE enabled
        UNION ALL
        SELECT 'canned', s.id, r.table_name, r.report_name, s.agency_id, s.agency_slug
        FROM reporting.seeder_canned_report_manifest AS s
        JOIN reporting.seeder_canned_report AS r ON r.id = s.canned_report_id
    ) AS manifest
) AS positioned;

CREATE INDEX ON report (position);

CREATE INDEX ON report (agency_slug);

-- Of 50 refreshes, one fails. Six of seven runs refresh every report; the others those of
-- one agency, in turns the large one and a small one.
INSERT INTO reporting.seeder_run_history
    (run_id, manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status, start_time, finish_time,
    duration_seconds, records_processed, bytes_processed, consecutive_failures, errors)
SELECT
    'run-' || lpad(run::text, 4, '0'), manifest_id, table_name, report_name, agency_id, agency_slug, report_type,
    CASE WHEN fails THEN 'error' ELSE 'success' END, started, started + duration * interval '1 second', duration,
    1000 + luck, 8192 * (1 + luck), fails::integer,
    CASE WHEN fails THEN 'division by zero' || repeat(E'\nCONTEXT:  SQL statement of the view', 8) END
FROM generate_series(1, %(runs)s) AS run
CROSS JOIN LATERAL (
    SELECT CASE WHEN run %% 7 = 0 THEN 'agency-' || CASE WHEN run %% 2 = 0 THEN 1 ELSE 1 + run %% %(agencies)s END END
) AS request (agency)
JOIN report ON request.agency IS NULL OR agency_slug = request.agency
CROSS JOIN LATERAL (SELECT abs(hashtext(table_name || run)) %% 10000 AS luck) AS random
CROSS JOIN LATERAL (
    SELECT
        always_fails OR fails_now AND run > %(runs)s - 14 OR luck %% 50 = 0 AS fails, 1 + luck %% 30 AS duration,
        now() - (%(runs)s - run) * interval '1 day' - interval '5 hours' + luck * interval '1 second' AS started
) AS refresh;

INSERT INTO reporting.seeder_run_history
    (run_id, manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status, start_time, finish_time)
SELECT DISTINCT ON (run_id)
    run_id, m.id, m.table_name, m.report_name, m.agency_id, m.agency_slug, 'custom', 'success', start_time, finish_time
FROM reporting.seeder_run_history
CROSS JOIN reporting.seeder_custom_report_manifest AS m
WHERE m.table_name = 'reporting.calendar' AND status = 'success'
ORDER BY run_id, start_time;

-- A run that is in progress: the reports are successful, running and pending.
INSERT INTO reporting.seeder_run_history
    (run_id, manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status, start_time, finish_time,
    duration_seconds, records_processed, consecutive_failures, errors)
SELECT
    'run-open', manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status, started,
    CASE WHEN status IN ('success', 'error') THEN started + interval '3 s' END,
    CASE WHEN status IN ('success', 'error') THEN 3 END, CASE WHEN status = 'success' THEN 1000 END,
    (status = 'error')::integer, CASE WHEN status = 'error' THEN 'division by zero' END
FROM report
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN position <= %(views)s * 6 / 10 THEN CASE WHEN always_fails OR fails_now THEN 'error' ELSE 'success' END
            WHEN position <= %(views)s * 6 / 10 + 8 THEN 'running'
            ELSE 'pending'
        END AS status,
        now() - interval '20 min' * (1 - position::numeric / %(views)s) AS started
) AS refresh;

-- The state of a pending view is that of its last refresh.
INSERT INTO reporting.seeder_job_status
    (table_name, manifest_id, report_name, report_type, agency_id, agency_slug, status, duration_seconds, start_time,
    consecutive_failures, last_run_id, last_errors)
SELECT DISTINCT ON (table_name)
    table_name, manifest_id, report_name, report_type, agency_id, agency_slug, status, duration_seconds, start_time,
    consecutive_failures, run_id, errors
FROM reporting.seeder_run_history
WHERE run_id = 'run-' || lpad(%(runs)s::text, 4, '0')
ORDER BY table_name, report_type DESC, manifest_id;

UPDATE reporting.seeder_job_status AS s SET
    status = h.status, last_run_id = h.run_id,
    start_time = CASE WHEN h.status = 'pending' THEN s.start_time ELSE h.start_time END,
    consecutive_failures = CASE h.status WHEN 'success' THEN 0 WHEN 'error' THEN 1 ELSE s.consecutive_failures END,
    last_errors = CASE WHEN h.status IN ('success', 'error') THEN h.errors ELSE s.last_errors END
FROM reporting.seeder_run_history AS h
WHERE h.run_id = 'run-open' AND h.table_name = s.table_name;

-- The metrics of the last hundred runs.
INSERT INTO reporting.seeder_run_metrics
    (history_id, mode, fell_back, attempts, reason, sqlstate, worker_number, worker_wait_seconds, throttle_wait_seconds,
    lock_wait_seconds, backend_read_bytes, backend_write_bytes, backend_wal_bytes, cpu_seconds, peak_memory_bytes,
    rows_inserted, rows_deleted, snapshot)
SELECT
    id, CASE WHEN status = 'success' THEN 'plain' END, false, 1, CASE WHEN status = 'error' THEN 'division_by_zero' END,
    CASE WHEN status = 'error' THEN '22012' END, 1 + id %% 8, 0.5, 0, 0.01, 8192, 16384, 4096, 0.2, 9000000,
    records_processed, records_processed, xid || ':' || xid || ':'
FROM reporting.seeder_run_history
CROSS JOIN clock
CROSS JOIN LATERAL (
    SELECT first_xid + (xids_per_second * extract(epoch FROM start_time - began))::bigint AS xid
) AS transaction
WHERE status IN ('success', 'error') AND start_time > now() - interval '100 days';

INSERT INTO reporting.seeder_run
    (run_id, description, requested_by, started_at, finished_at, workers, manifests, succeeded, failed, agencies, holds)
SELECT
    run_id, CASE WHEN count(*) = 1 THEN 'agency ' || min(agency_slug) ELSE 'everything' END, 'refresh_all', min(started),
    CASE WHEN run_id <> 'run-open' THEN max(ended) END, 8, sum(manifests),
    CASE WHEN run_id <> 'run-open' THEN sum(succeeded) END, CASE WHEN run_id <> 'run-open' THEN sum(manifests - succeeded) END,
    jsonb_object_agg(agency_slug, jsonb_build_object(
        'manifests', manifests, 'succeeded', succeeded, 'failed', manifests - succeeded
    )), '[{"database": "default", "reason": "server_busy", "from": "2026-01-01T00:00:00+00:00", "until": null}]'
FROM (
    SELECT run_id, agency_slug, min(start_time) AS started, max(finish_time) AS ended, count(*) AS manifests,
        count(*) FILTER (WHERE status = 'success') AS succeeded
    FROM reporting.seeder_run_history
    GROUP BY run_id, agency_slug
) AS of_agency
GROUP BY run_id;

-- Four snapshots of every twentieth view, and of the first canned report.
INSERT INTO reporting.seeder_release_snapshot
    (table_name, release_tag, captured_at, schema_hash, definition_hash, server_version, exact, row_count, column_count,
    columns, column_statistics)
SELECT
    table_name, 'release-' || release, now() - make_interval(days => 30 * (5 - release), secs => position), repeat('a', 64),
    repeat('b', 64), 180000, true, 1000, jsonb_array_length(columns), columns, statistics
FROM (SELECT DISTINCT table_name, position FROM report WHERE position %% 20 = 0 OR table_name = 'reporting.canned_1') AS view
CROSS JOIN generate_series(1, 4) AS release
CROSS JOIN (
    SELECT jsonb_agg(jsonb_build_object('name', 'column_' || n, 'type', 'text', 'nullable', true)) AS columns,
        jsonb_object_agg('column_' || n, '{"nulls": 3, "distinct": 700, "minimum": "a", "maximum": "z"}'::jsonb) AS statistics
    FROM generate_series(1, 16) AS n
) AS content;

-- Ten data checks of every tenth view, and 250 of the first canned report. The first five had results in each run.
INSERT INTO reporting.seeder_check (table_name, check_name, kind, arguments)
SELECT table_name, 'check-' || n, 'row_count', '{"min": 1, "max_drop": 0.1}'
FROM (SELECT DISTINCT table_name, position FROM report WHERE position %% 10 = 0 OR table_name = 'reporting.canned_1') AS view
CROSS JOIN LATERAL generate_series(1, CASE table_name WHEN 'reporting.canned_1' THEN 250 ELSE 10 END) AS n;

INSERT INTO reporting.seeder_check_result
    (history_id, run_id, database_alias, table_name, check_name, kind, arguments, severity, outcome, figures, samples)
SELECT
    history_id, run_id, 'default', table_name, 'check-' || n, 'row_count', '{"min": 1, "max_drop": 0.1}', 'error',
    'passed', '{"rows": 1000, "minimum": 900, "maximum": null, "last_accepted": 1000}', '[]'
FROM (
    SELECT min(id) AS history_id, run_id, table_name
    FROM reporting.seeder_run_history
    WHERE run_id <> 'run-open' AND table_name IN (SELECT table_name FROM reporting.seeder_check)
    GROUP BY run_id, table_name
) AS refresh
CROSS JOIN generate_series(1, 5) AS n;

-- Requests of one view, of an agency, and for the last ten nights of everything. Twenty are queued and three are running.
INSERT INTO reporting.seeder_queued_refresh
    (request_id, part, parts, description, requested_by, requested_at, manifests, views, agencies, state, run_ids, worker,
    dispatched_at, started_at, finished_at, succeeded, failed, error)
SELECT
    md5('request ' || n), 1, 1, description, 'operator-' || n %% 20, requested, selected.manifests, selected.views,
    selected.agencies, state,
    CASE state
        WHEN 'queued' THEN '[]'::jsonb
        WHEN 'running' THEN '["run-open"]'
        ELSE jsonb_build_array('run-' || lpad((%(runs)s - %(runs)s %% 7 - 7 * (n %% 30))::text, 4, '0'))
    END,
    CASE WHEN state <> 'queued' THEN 'worker-1:42' END, requested, CASE WHEN state <> 'queued' THEN requested END,
    CASE WHEN state = 'ended' THEN requested + interval '5 min' END,
    CASE WHEN state = 'ended' THEN jsonb_array_length(selected.manifests) - (n %% 40 = 0)::integer END,
    CASE WHEN state = 'ended' THEN (n %% 40 = 0)::integer END,
    CASE WHEN state = 'ended' AND n %% 200 = 0 THEN 'The database was stopped.' END
FROM generate_series(1, %(requests)s) AS n
CROSS JOIN LATERAL (
    SELECT
        now() - (%(requests)s - n) * interval '90 min' AS requested,
        CASE WHEN n > %(requests)s - 20 THEN 'queued' WHEN n > %(requests)s - 23 THEN 'running' ELSE 'ended' END AS state,
        CASE
            WHEN n %% 16 = 8 AND n > %(requests)s - 160 THEN 'everything'
            WHEN n %% 4 = 0 THEN 'agency agency-' || 1 + n %% %(agencies)s
            ELSE 'view'
        END AS description
) AS request
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(report_type, manifest_id)) AS manifests,
        jsonb_agg(DISTINCT jsonb_build_array('default', table_name)) AS views,
        jsonb_agg(DISTINCT agency_slug) AS agencies
    FROM (
        SELECT * FROM report WHERE description = 'everything'
        UNION ALL
        SELECT * FROM report WHERE agency_slug = substr(description, 8)
        UNION ALL
        SELECT * FROM report WHERE description = 'view' AND position = 1 + n %% %(views)s
    ) AS requested
) AS selected;

INSERT INTO reporting.seeder_circuit_breaker (database_alias) VALUES ('default');
