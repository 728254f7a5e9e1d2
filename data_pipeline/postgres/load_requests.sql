-- Claims and ends of queued loads. A session advisory lock on the id proves that the worker of a running request is alive.

-- name: claim_request
-- Lock the request for this session, and mark it as running. `is_acquired` is false if another worker has it. A null id
-- means that it has ended, or does not exist.
WITH lock AS MATERIALIZED (
    SELECT pg_try_advisory_lock(hashtextextended(%(lock_key)s::text, 0)) AS is_acquired
), claimed AS (
    UPDATE load_request SET state = 'running', attempts = attempts + 1, worker = %(worker)s::text
    FROM lock
    WHERE id = %(request_id)s AND state <> 'ended' AND is_acquired
    RETURNING id, action, source_uri, options::text, load_id, requested_by, attempts, created_at
)
SELECT l.is_acquired, c.* FROM lock AS l LEFT JOIN claimed AS c ON true;

-- name: end_request
-- End a request, unless another worker has claimed it since. Corrected values, which can be personal, are deleted.
UPDATE load_request SET
    state = 'ended', load_id = coalesce(%(load_id)s::bigint, load_id), error_message = %(error)s::text,
    error_code = %(error_code)s::text, finished_at = clock_timestamp(), options = options - 'corrections'
WHERE id = %(request_id)s AND state = 'running' AND attempts = %(attempts)s
RETURNING id;

-- name: release_request
-- Give a request back, unless another worker has claimed it since. It counts as dispatched now.
UPDATE load_request SET
    state = 'queued', worker = NULL, dispatched_at = clock_timestamp(), error_message = %(error)s::text,
    attempts = attempts - CASE WHEN %(counts)s::boolean THEN 0 ELSE 1 END
WHERE id = %(request_id)s AND state = 'running' AND attempts = %(attempts)s
RETURNING id;

-- name: stalled_requests
-- Queue the requests of dead workers again, and mark requests whose message is missing or old as dispatched now. Returns
-- both. The locks are held until the end of the transaction, so that a concurrent rescue skips these requests.
WITH running AS MATERIALIZED (
    SELECT id FROM load_request WHERE state = 'running' ORDER BY id FOR UPDATE SKIP LOCKED
), waiting AS MATERIALIZED (
    SELECT id
    FROM load_request
    WHERE state = 'queued' AND coalesce(dispatched_at, created_at)
        < clock_timestamp() - CASE WHEN dispatched_at IS NULL THEN %(missing_after)s ELSE %(old_after)s END::interval
    ORDER BY id
    FOR UPDATE SKIP LOCKED
)
UPDATE load_request AS r SET state = 'queued', worker = NULL, dispatched_at = clock_timestamp()
WHERE r.id IN (SELECT id FROM waiting)
    OR r.id IN (
        SELECT id FROM running
        WHERE pg_try_advisory_xact_lock(hashtextextended(%(prefix)s::text || id::text, 0))
    )
RETURNING r.id;
