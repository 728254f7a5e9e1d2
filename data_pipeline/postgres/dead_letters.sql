-- Artefacts that could not be processed.

-- name: keep_letter
-- Count an attempt that failed. The wait depends on the number of attempts, so the caller gives one for each number.
INSERT INTO load_dead_letter AS d (
    source, idempotency_key, uri, options, error_code, error_message, load_id, next_try_at
) VALUES (
    %(source)s, %(idempotency_key)s, %(uri)s, %(options)s::jsonb, %(error_code)s, %(error_message)s, %(load_id)s,
    clock_timestamp() + (%(waits)s::interval[])[1]
)
ON CONFLICT (source, idempotency_key) DO UPDATE SET
    attempts = CASE WHEN d.state = 'resolved' THEN 1 ELSE d.attempts + 1 END,
    next_try_at = clock_timestamp()
        + (%(waits)s::interval[])[CASE WHEN d.state = 'resolved' THEN 1 ELSE d.attempts + 1 END],
    state = 'open', uri = excluded.uri, options = excluded.options, error_code = excluded.error_code,
    error_message = excluded.error_message, load_id = excluded.load_id, updated_at = clock_timestamp();

-- name: resolve_letters
-- Resolve the letters of an artefact, also of earlier versions.
UPDATE load_dead_letter SET state = 'resolved', next_try_at = NULL, updated_at = clock_timestamp()
WHERE source = %(source)s AND uri = %(uri)s AND state <> 'resolved';

-- name: waiting_letters
-- Versions that are not tried now.
SELECT idempotency_key
FROM load_dead_letter
WHERE source = %(source)s AND state <> 'resolved'
    AND (state = 'dismissed' OR next_try_at IS NULL OR next_try_at > clock_timestamp());

-- name: dismiss_letters
UPDATE load_dead_letter SET state = 'dismissed', next_try_at = NULL, updated_at = clock_timestamp()
WHERE id = ANY (%(ids)s) AND state = 'open'
RETURNING id;

-- name: unsettled_objects
-- The versions of objects whose loads have not succeeded. A forced load fails beside an object that is complete.
SELECT
    idempotency_key, payload_meta ->> 'source_uri' AS uri, payload_meta ->> 'etag' AS etag,
    (payload_meta ->> 'content_length')::bigint AS size, (payload_meta ->> 'last_modified')::timestamptz AS modified_at
FROM load_log
WHERE source = %(source)s AND status IN ('pending', 'failed') AND NOT (payload_meta ->> 'force')::boolean;

-- name: unfinished_addresses
-- Artefacts for which a request of this action waits or runs.
SELECT source_uri FROM load_request WHERE state <> 'ended' AND action = %(action)s;
