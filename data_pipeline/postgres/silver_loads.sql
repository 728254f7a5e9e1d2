-- Objects of bronze whose transforms failed, wait or run.

-- name: waiting_objects
-- Versions of objects that are not tried now. A forced load of a version decides after others.
SELECT uri, etag
FROM (
    SELECT DISTINCT ON (d.uri, l.payload_meta ->> 'etag') d.uri, l.payload_meta ->> 'etag' AS etag, d.state, d.next_try_at
    FROM load_dead_letter AS d
    JOIN load_log AS l ON l.id = d.load_id
    WHERE d.source = %(source)s
    ORDER BY d.uri, l.payload_meta ->> 'etag', d.load_id DESC
) AS last
WHERE state <> 'resolved' AND (next_try_at IS NULL OR next_try_at > clock_timestamp());

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
