-- Rejects of a load and what became of them.

-- name: kept_rejects
-- Rejects in the order of the file. Raw bytes are shortened above a limit for one record, and after a limit for the load.
SELECT record_no, line_no, state, replayed_by_id, problems, raw, kept_bytes
FROM (
    SELECT *, sum(octet_length(raw)) OVER (ORDER BY record_no) AS kept_bytes FROM load_reject WHERE load_id = %(load_id)s
) AS kept
WHERE (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(numbers)s::bigint[] IS NULL OR record_no = ANY (%(numbers)s))
ORDER BY record_no
LIMIT %(limit)s;

-- name: reject_counts
SELECT state, count(*) FROM load_reject WHERE load_id = %(load_id)s GROUP BY state;

-- name: problem_counts
-- The columns and SQLSTATEs of the problems of a load's rejects, with the number of records, the most frequent first.
SELECT problem ->> 'column', problem ->> 'sqlstate', count(DISTINCT r.record_no) AS records
FROM load_reject AS r
CROSS JOIN LATERAL jsonb_array_elements(r.problems) AS problem
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
