-- Rejects of a load and what became of them.

-- name: kept_rejects
-- Rejects in the order of the file. Raw bytes are shortened above a limit for one record, and after a limit for the load.
SELECT record_no, line_no, state, replayed_by_id, problems, raw, sum(octet_length(raw)) OVER (ORDER BY record_no)
FROM load_reject
WHERE load_id = %(load_id)s AND (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY record_no
LIMIT %(limit)s;

-- name: reject_counts
SELECT state, count(*) FROM load_reject WHERE load_id = %(load_id)s GROUP BY state;

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

-- name: dismiss_rejects
WITH dismissed AS (
    UPDATE load_reject SET state = 'dismissed' WHERE load_id = %(load_id)s AND state = 'open' RETURNING 1
), audited AS (
    INSERT INTO load_event (load_id, event, actor, facts)
    SELECT %(load_id)s, 'rejects_dismissed', %(actor)s::text, jsonb_build_object('records', count(*))
    FROM dismissed
    HAVING count(*) > 0
)
SELECT count(*) FROM dismissed;
