-- Rejects of a load and what became of them.

-- name: kept_rejects
-- Rejects in the order of the file, and whether their raw bytes are shortened: above a limit for one record, or to some bytes
-- after a limit for the load. Only if a record has exactly these bytes, those of the load up to it are summed.
WITH page AS MATERIALIZED (
    SELECT record_no, line_no, state, replayed_by_id, problems, raw
    FROM load_reject
    WHERE load_id = %(load_id)s
        AND (%(state)s::text IS NULL OR state = %(state)s)
        AND (%(numbers)s::bigint[] IS NULL OR record_no = ANY (%(numbers)s))
    ORDER BY record_no
    LIMIT %(limit)s
), suspected AS (
    SELECT min(record_no) AS first, max(record_no) AS last FROM page WHERE octet_length(raw) = %(raw_afterwards)s
), suspected_after AS MATERIALIZED (
    SELECT first, last, (
        SELECT coalesce(sum(octet_length(raw)), 0)
        FROM load_reject
        WHERE load_id = %(load_id)s AND record_no < suspected.first
    ) AS bytes_before
    FROM suspected
), summed AS (
    SELECT r.record_no, bytes_before + sum(octet_length(r.raw)) OVER (ORDER BY r.record_no) AS kept_bytes
    FROM suspected_after
    JOIN load_reject AS r ON r.load_id = %(load_id)s AND r.record_no BETWEEN first AND last
)
SELECT
    record_no, line_no, state, replayed_by_id, problems, raw,
    octet_length(raw) = %(max_raw)s OR octet_length(raw) = %(raw_afterwards)s
        AND record_no >= (SELECT min(record_no) FROM summed WHERE kept_bytes >= %(max_kept)s) AS is_shortened
FROM page
ORDER BY record_no;

-- name: reject_counts
SELECT state, count(*) FROM load_reject WHERE load_id = %(load_id)s GROUP BY state;

-- name: problem_counts
-- The columns and SQLSTATEs of the problems of a load's rejects, with the number of records, the most frequent first. Each
-- record is counted once without sorting the records.
SELECT problem.column_name, problem.sqlstate, count(*) AS records
FROM load_reject AS r
CROSS JOIN LATERAL (
    SELECT DISTINCT one ->> 'column' AS column_name, one ->> 'sqlstate' AS sqlstate
    FROM jsonb_array_elements(r.problems) AS one
) AS problem
WHERE r.load_id = %(load_id)s
GROUP BY 1, 2
ORDER BY records DESC, 1, 2
LIMIT %(limit)s;

-- name: lock_rejected_load
-- Keep a load from being undone, until the end of the transaction.
SELECT FROM load_log WHERE id = %(load_id)s AND status IN ('success', 'skipped') FOR KEY SHARE;

-- name: lock_rejects
SELECT record_no FROM load_reject
WHERE load_id = %(load_id)s AND state = 'open' AND record_no = ANY (%(numbers)s::bigint[])
ORDER BY record_no
FOR UPDATE;

-- name: mark_replayed
WITH replayed AS (
    UPDATE load_reject SET state = 'replayed', replayed_by_id = %(replayed_by)s
    WHERE load_id = %(load_id)s AND record_no = ANY (%(numbers)s::bigint[])
    RETURNING 1
)
INSERT INTO load_event (load_id, event, actor, facts)
SELECT
    %(load_id)s, 'rejects_replayed', %(actor)s::text,
    jsonb_build_object('records', count(*), 'load', %(replayed_by)s::bigint)
FROM replayed;

-- name: dismiss_load
-- Dismiss the open rejects of a load, and its failure. An undone load is no failure.
WITH rejects AS (
    UPDATE load_reject SET state = 'dismissed' WHERE load_id = %(load_id)s AND state = 'open' RETURNING 1
), failure AS (
    UPDATE load_log SET dismissed_at = clock_timestamp()
    WHERE id = %(load_id)s AND status = 'failed' AND error_code IS DISTINCT FROM 'undone' AND dismissed_at IS NULL
    RETURNING 1
), counts AS (
    SELECT (SELECT count(*) FROM rejects) AS records, EXISTS (SELECT FROM failure) AS is_failure
), audited AS (
    INSERT INTO load_event (load_id, event, actor, facts)
    SELECT
        %(load_id)s, CASE WHEN is_failure THEN 'dismissed' ELSE 'rejects_dismissed' END, %(actor)s::text,
        jsonb_build_object('records', records)
    FROM counts
    WHERE is_failure OR records > 0
)
SELECT records, is_failure FROM counts;
