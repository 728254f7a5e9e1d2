-- Freshness contracts and the age of data. Each paragraph is one statement, with the fields of `Scale` as parameters.

-- The data of a view are as of its last success.
INSERT INTO reporting.seeder_view_state (database_alias, schema_name, view_name, view_oid, view_xmin, data_as_of)
SELECT 'default', n.nspname, c.relname, c.oid, c.xmin::text, success.start_time
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN (
    SELECT table_name, max(start_time) AS start_time
    FROM reporting.seeder_run_history
    WHERE status = 'success' AND start_time > now() - interval '30 days'
    GROUP BY table_name
) AS success ON success.table_name = n.nspname || '.' || c.relname
WHERE c.relkind = 'm';

-- Every agency has a contract, half of them a due time, and some of the canned reports have their own.
INSERT INTO reporting.seeder_freshness (agency_slug, target_lag, due_at, due_zone, grace, severity)
SELECT
    'agency-' || n, CASE WHEN n %% 2 = 0 THEN interval '36 hours' END, CASE WHEN n %% 2 = 1 THEN time '06:30' END,
    (ARRAY['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo'])[1 + n %% 4], interval '30 min',
    CASE WHEN n %% 10 = 0 THEN 'warn' ELSE 'error' END
FROM generate_series(1, %(agencies)s) AS n;

INSERT INTO reporting.seeder_freshness (table_name, target_lag)
SELECT 'reporting.canned_' || n, interval '36 hours' FROM generate_series(1, %(views)s / 500) AS n;
