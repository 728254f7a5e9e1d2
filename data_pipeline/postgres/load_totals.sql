-- The metrics of loads. Counters are kept in load_total up to an event, and later events are added at each scrape: so they
-- never fall, and a scrape reads few events however many there are.

-- name: lock_totals
-- Whether this session may move events into load_total: if it can write, and no other session does so.
SELECT CASE
    WHEN current_setting('transaction_read_only') = 'on' THEN false
    WHEN NOT has_table_privilege('load_total', 'INSERT') OR NOT has_table_privilege('load_total', 'UPDATE') THEN false
    ELSE pg_try_advisory_xact_lock(hashtextextended('data_pipeline.load_total', 0))
END;

-- name: later_events
-- The first events that are not in load_total, each as the values that it adds to counters. The next two follow it.
WITH batch AS MATERIALIZED (
    SELECT id, event, facts, at
    FROM load_event
    WHERE id > coalesce((SELECT value FROM load_total WHERE metric = 'folded_events'), 0)::bigint
    ORDER BY id
    LIMIT %(max_events)s
), measured AS (
    SELECT
        b.id, b.facts ->> 'source' AS source, (b.facts ->> 'duration_ms')::double precision / 1000 AS seconds, b.facts,
        CASE b.event
            WHEN 'loaded' THEN 'success'
            WHEN 'skipped' THEN 'skipped'
            WHEN 'failed' THEN 'failed'
            WHEN 'interrupted' THEN 'failed'
            WHEN 'measured' THEN b.facts ->> 'status'
        END AS status
    FROM batch AS b
    WHERE b.event IN ('loaded', 'skipped', 'failed', 'interrupted', 'measured') AND b.facts ? 'source'
), additions AS (
    SELECT m.id, m.source, v.metric, v.label, v.value
    FROM measured AS m
    CROSS JOIN LATERAL (
        SELECT 'runs', m.status, 1::double precision WHERE m.status IS NOT NULL
        UNION ALL SELECT 'records', '', (m.facts ->> 'records')::double precision WHERE m.facts ? 'records'
        UNION ALL SELECT 'seconds', '', m.seconds WHERE m.seconds IS NOT NULL
        UNION ALL SELECT 'bucket', coalesce(
            (SELECT min(bound)::text FROM unnest(%(bounds)s::double precision[]) AS bound WHERE bound >= m.seconds),
            'Infinity'
        ), 1 WHERE m.seconds IS NOT NULL
        UNION ALL SELECT 'normalized', '', (m.facts ->> 'normalized')::double precision WHERE m.facts ? 'normalized'
        UNION ALL SELECT 'retries', key, value::double precision FROM jsonb_each_text(m.facts -> 'retries')
        UNION ALL
        SELECT 'normalize_errors', key, value::double precision FROM jsonb_each_text(m.facts -> 'normalize_errors')
        UNION ALL
        SELECT counter.key, label.key, label.value::double precision
        FROM jsonb_each(m.facts -> 'counters') AS counter
        CROSS JOIN LATERAL jsonb_each_text(counter.value) AS label
    ) AS v (metric, label, value)
)

-- name: fold_events
-- Move events into load_total. An event with a lower id can be committed later, but not an hour later: the event is the
-- last statement of its transaction.
, last AS (
    SELECT coalesce(min(id) FILTER (WHERE at >= clock_timestamp() - interval '1 hour') - 1, max(id)) AS id FROM batch
)
INSERT INTO load_total AS t (metric, source, label, value)
SELECT metric, source, label, sum(value) FROM additions WHERE id <= (SELECT id FROM last) GROUP BY 1, 2, 3
UNION ALL
SELECT
    'folded_events', '', '',
    last.id - coalesce((SELECT value FROM load_total WHERE metric = 'folded_events'), 0)
FROM last
WHERE last.id >= (SELECT min(id) FROM batch)
ON CONFLICT (metric, source, label) DO UPDATE SET value = t.value + excluded.value;

-- name: read_totals
-- All counters. Sources are in the order in which they became known.
, counters AS (
    SELECT id, metric, source, label, value FROM load_total WHERE metric <> 'folded_events'
    UNION ALL
    SELECT NULL, metric, source, label, value FROM additions
)
SELECT metric, source, label, sum(value), min(min(id)) OVER (PARTITION BY source) AS known_since
FROM counters
GROUP BY metric, source, label
ORDER BY known_since NULLS LAST, source, metric, label;

-- name: save_measurement
-- Keep the counters of a process that ends.
INSERT INTO load_event (load_id, event, actor, facts) VALUES (NULL, 'measured', %(actor)s::text, %(facts)s::jsonb);

-- name: open_loads
-- Pending and failed loads by source, without undone and dismissed ones.
SELECT
    l.source,
    count(*) FILTER (WHERE l.status = 'pending' AND l.id <> ALL (%(stuck)s::bigint[])) AS running,
    count(*) FILTER (WHERE l.status = 'pending' AND l.id = ANY (%(stuck)s::bigint[])) AS stuck,
    count(*) FILTER (WHERE l.status = 'failed') AS failed,
    min(l.updated_at) FILTER (WHERE l.status = 'failed') AS oldest_failure_at
FROM (
    SELECT id, source, status, updated_at FROM load_log
    WHERE status IN ('pending', 'failed') AND error_code IS DISTINCT FROM 'undone' AND dismissed_at IS NULL
    LIMIT %(max_rows)s
) AS l
GROUP BY l.source
ORDER BY l.source;

-- name: undispatched_refreshes
SELECT count(*), min(created_at)
FROM (SELECT created_at FROM load_refresh WHERE dispatched_at IS NULL LIMIT %(max_rows)s) AS waiting;

-- name: open_rejects
SELECT count(*) FROM (SELECT FROM load_reject WHERE state = 'open' LIMIT %(max_rows)s) AS open;
