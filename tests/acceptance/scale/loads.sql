-- Loads of tables, and the views that read these. Each paragraph is one statement, after those of platform.sql.

CREATE SCHEMA loaded;

DO $$ BEGIN
    FOR number IN 1 .. %(tables)s LOOP EXECUTE format('CREATE TABLE loaded.%%I (id integer)', 'table_' || number); END LOOP;
END $$;

-- Every view reads a table and another view, which reads a table.
CREATE TEMPORARY TABLE query AS
SELECT table_name, position, format(
    'SELECT 1 AS one FROM loaded.%%I, reporting.calendar',
    'table_' || CASE WHEN position %% 10 = 0 THEN 1 ELSE 1 + position %% %(tables)s END
) AS text
FROM report
GROUP BY table_name, position;

UPDATE reporting.seeder_custom_report_manifest AS m SET query = q.text FROM query AS q WHERE q.table_name = m.table_name;

UPDATE reporting.seeder_canned_report AS r SET query = q.text FROM query AS q WHERE q.table_name = r.table_name;

-- In groups, because a transaction keeps a lock on each view.
DO $$
DECLARE view record;
BEGIN
    CREATE MATERIALIZED VIEW reporting.calendar AS SELECT 1 AS one FROM loaded.table_2 WITH NO DATA;
    FOR view IN SELECT * FROM query LOOP
        EXECUTE format('CREATE MATERIALIZED VIEW %%s AS %%s WITH NO DATA', view.table_name, view.text);
        IF view.position %% 100 = 0 THEN COMMIT; END IF;
    END LOOP;
END $$;

-- A tenth of the loads are of the first table. Of 60 loads, one failed; the next load has the file of six out of seven
-- failed ones.
INSERT INTO load_log
    (source, idempotency_key, status, payload_meta, processed_by, duration_ms, error_message, error_code, created_at, updated_at,
    attempts, succeeded_at, xid, target, rows_in, rows_inserted, rows_updated, rows_unchanged, rows_deleted, rows_rejected,
    content_blake2b, undone_at, dismissed_at)
SELECT
    'source-' || file %% 50, lpad(to_hex(n), 64, '0'), status,
    jsonb_build_object(
        'source_uri', format('s3://inbox/source-%%s/file-%%s.csv', file %% 50, file), 'target_table', target,
        'columns', '["id", "ordered_on", "product", "quantity", "price"]'::jsonb, 'file_size', 100 * file, 'options',
        jsonb_build_object('dialect', 'orders', 'mode', 'upsert')
    ),
    'loader:' || n %% 8, CASE WHEN status <> 'pending' THEN 40 + n %% 5000 END,
    CASE WHEN status = 'failed' THEN 'invalid input syntax for type integer' END,
    CASE WHEN status = 'failed' THEN CASE WHEN n %% 600 = 3 THEN 'undone' ELSE '22P02' END END, started,
    started + interval '5 s', 1, CASE WHEN status IN ('success', 'skipped') THEN started + interval '5 s' END,
    CASE WHEN status IN ('success', 'skipped') THEN xid::text::xid8 END, target,
    CASE WHEN status <> 'pending' THEN 1000 END, CASE WHEN status IN ('success', 'skipped') THEN 900 END,
    CASE WHEN status IN ('success', 'skipped') THEN 90 END, CASE WHEN status IN ('success', 'skipped') THEN 9 END,
    CASE WHEN status IN ('success', 'skipped') THEN 0 END, 0, md5(n::text),
    CASE WHEN status = 'failed' AND n %% 600 = 3 THEN started + interval '1 hour' END,
    CASE WHEN status = 'failed' AND n %% 120 = 3 THEN started + interval '1 hour' END
FROM generate_series(1, %(loads)s) AS n
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN n > %(loads)s - 5 THEN 'pending' WHEN n %% 100 = 7 THEN 'skipped' WHEN n %% 60 = 3 THEN 'failed' ELSE 'success'
        END AS status,
        now() - (1 - n::double precision / %(loads)s) * %(runs)s * interval '1 day' AS started,
        CASE WHEN n %% 60 = 3 AND n %% 7 > 0 THEN n + 1 ELSE n END AS file
) AS load
CROSS JOIN clock
CROSS JOIN LATERAL (
    SELECT
        first_xid + (xids_per_second * extract(epoch FROM started - began))::bigint AS xid,
        'loaded.table_' || CASE WHEN file %% 10 = 0 THEN 1 ELSE 1 + file %% %(tables)s END AS target
) AS origin;

INSERT INTO load_event (load_id, event, actor, facts, at)
SELECT id, CASE status WHEN 'success' THEN 'loaded' WHEN 'pending' THEN 'claimed' ELSE status END, processed_by,
    jsonb_build_object('source', source, 'duration_ms', duration_ms, 'records', rows_in), updated_at
FROM load_log;

-- One load has as many rejects as are kept by default, 10,000 at full size. The others are of each hundredth of the last loads.
INSERT INTO load_reject (load_id, line_no, record_no, problems, raw, state)
SELECT load_id, record + 1, record, '[{"column": "quantity", "sqlstate": "22P02", "reason": "no integer", "value": "many"}]',
    convert_to(record || ',2026-01-01,A-' || record || ',many,1.50', 'UTF8'),
    CASE record %% 10 WHEN 0 THEN 'dismissed' WHEN 1 THEN 'replayed' ELSE 'open' END
FROM generate_series(0, %(rejects)s - 1) AS n
CROSS JOIN (SELECT max(id) AS id FROM load_log WHERE target = 'loaded.table_2' AND status = 'success') AS rejecting
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN n < %(rejects)s / 20 THEN rejecting.id ELSE %(loads)s - 10 - 100 * (n %% (%(loads)s / 200)) END AS load_id,
        CASE WHEN n < %(rejects)s / 20 THEN n ELSE n / (%(loads)s / 200) END + 1 AS record
) AS rejected;

UPDATE load_log AS l SET rows_rejected = r.rejects
FROM (SELECT load_id, count(*) AS rejects FROM load_reject GROUP BY load_id) AS r
WHERE r.load_id = l.id;

INSERT INTO load_refresh (load_id, relations, created_at, claimed_at, dispatched_at, request_id, views)
SELECT id, jsonb_build_array(string_to_array(target, '.')), updated_at, updated_at, updated_at, md5('request ' || id), '[]'
FROM load_log
WHERE id > %(loads)s - %(loads)s / 10 AND status = 'success';

INSERT INTO load_request
    (source_uri, action, options, requested_by, state, attempts, worker, load_id, error_message, dispatched_at, created_at,
    finished_at)
SELECT
    format('s3://inbox/source-%%s/file-%%s.csv', n %% 50, n), CASE WHEN n %% 20 = 0 THEN 'verify' ELSE 'load' END,
    '{"dialect": "orders"}', 'operator-' || n %% 20, state, (state <> 'queued')::integer,
    CASE WHEN state <> 'queued' THEN 'worker-1:42' END, CASE WHEN state = 'ended' THEN %(loads)s - %(load_requests)s + n END,
    CASE WHEN state = 'ended' AND n %% 100 = 0 THEN 'The file does not exist.' END, created, created,
    CASE WHEN state = 'ended' THEN created + interval '10 s' END
FROM generate_series(1, %(load_requests)s) AS n
CROSS JOIN LATERAL (
    SELECT CASE WHEN n > %(load_requests)s - 20 THEN 'queued' WHEN n > %(load_requests)s - 23 THEN 'running' ELSE 'ended' END
        AS state, now() - (%(load_requests)s - n) * interval '10 min' AS created
) AS request;
