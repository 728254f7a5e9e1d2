-- The outbox of refreshes. A claimed row is dispatched by another process, or was left by one that was killed.
-- No session lock proves which: the queue's broker may close the connection when it takes a message.

-- name: claim_refreshes
-- Claim the request of one load, and those that other loads have left: their process was killed before or after the claim.
-- A claim takes some milliseconds, and need not survive a crash of the server.
UPDATE load_refresh
SET claimed_at = clock_timestamp()
FROM set_config('synchronous_commit', 'off', true)
WHERE id IN (
    SELECT id
    FROM load_refresh
    WHERE dispatched_at IS NULL
        AND (load_id = %(load_id)s::bigint OR created_at <= clock_timestamp() - %(left_after)s::interval)
        AND (claimed_at IS NULL OR claimed_at < clock_timestamp() - interval '1 minute')
    ORDER BY id
    FOR UPDATE SKIP LOCKED
)
RETURNING id, load_id, relations, created_at;

-- name: release_refreshes
-- Let the next attempt claim them at once.
UPDATE load_refresh SET claimed_at = NULL WHERE id = ANY (%(ids)s::bigint[]) AND dispatched_at IS NULL;

-- name: mark_dispatched
-- A row that was requested again meanwhile has a new time, and remains. After a crash of the server, the request is found
-- by its idempotency key.
UPDATE load_refresh AS r
SET dispatched_at = clock_timestamp(), request_id = %(request_id)s::text, views = %(views)s::jsonb
FROM set_config('synchronous_commit', 'off', true),
    unnest(%(ids)s::bigint[], %(created_at)s::timestamptz[]) AS sent (id, created_at)
WHERE r.id = sent.id AND r.created_at = sent.created_at AND r.dispatched_at IS NULL;
