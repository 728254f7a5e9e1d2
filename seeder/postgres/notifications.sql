-- Alerts, and the outbox of notifications. Times of deliveries are parameters, by the clock of this server.

-- name: lock_alert
-- The row stays locked until the end of the transaction, so that each change is notified once.
INSERT INTO reporting.seeder_alert (kind, database_alias, table_name, contract_id)
VALUES (%(kind)s, %(database)s, %(view)s, %(contract)s)
ON CONFLICT (table_name, database_alias, kind, contract_id) DO UPDATE SET notified = seeder_alert.notified
RETURNING id, notified, notified_at;

-- name: is_muted
SELECT EXISTS (
    SELECT
    FROM reporting.seeder_mute
    WHERE table_name = %(view)s AND database_alias = %(database)s AND ends_at > clock_timestamp()
);

-- name: set_notified
UPDATE reporting.seeder_alert SET notified = %(notified)s, notified_at = clock_timestamp() WHERE id = %(alert)s;

-- name: add_notification
INSERT INTO reporting.seeder_notification (channel, event, subject, facts)
SELECT channel, %(event)s, %(subject)s, %(facts)s::jsonb FROM unnest(%(channels)s::text[]) AS channel;

-- name: add_finished_runs
-- One for each run that ended within an hour, unless the channel has it already.
INSERT INTO reporting.seeder_notification (channel, event, subject, facts)
SELECT
    %(channel)s, %(event)s, r.run_id,
    jsonb_build_object(
        'run_id', r.run_id, 'succeeded', r.succeeded, 'failed', r.failed, 'held', r.held, 'interrupted', r.interrupted,
        'stopped_by', r.stopped_by,
        'requested_by', r.requested_by, 'agencies', (SELECT coalesce(jsonb_agg(slug), '[]') FROM jsonb_object_keys(r.agencies) AS slug)
    )
FROM reporting.seeder_run AS r
WHERE r.finished_at > clock_timestamp() - interval '1 hour' AND r.started_at > clock_timestamp() - interval '2 days'
    AND (%(agencies)s::text[] = '{}' OR r.agencies ?| %(agencies)s::text[])
    AND NOT EXISTS (
        SELECT
        FROM reporting.seeder_notification AS n
        WHERE n.subject = r.run_id AND n.channel = %(channel)s AND n.event = %(event)s
    )
ORDER BY r.finished_at;

-- name: add_aborted_refreshes
-- The end of refreshes that have started and not ended, of runs that ended within an hour.
INSERT INTO reporting.seeder_notification (channel, event, subject, facts)
SELECT n.channel, n.event, n.subject, n.facts || jsonb_build_object('type', 'ABORT', 'at', r.finished_at, 'reason', 'interrupted')
FROM reporting.seeder_run AS r
JOIN reporting.seeder_notification AS n ON n.created_at >= r.started_at AND n.facts ->> 'run_id' = r.run_id
WHERE r.finished_at > clock_timestamp() - interval '1 hour' AND r.started_at > clock_timestamp() - interval '2 days'
    AND n.channel = %(channel)s AND n.event = %(event)s AND n.facts ->> 'type' = 'START'
    AND NOT EXISTS (
        SELECT
        FROM reporting.seeder_notification AS ended
        WHERE ended.subject = n.subject AND ended.channel = n.channel AND ended.id > n.id
            AND ended.facts ->> 'run_id' = r.run_id AND ended.event = n.event
    )
ORDER BY n.id;

-- name: add_lineage_of_runs
-- The start and the end of each run that is open or ended within an hour, unless the channel has it already.
INSERT INTO reporting.seeder_notification (channel, event, subject, facts)
SELECT
    %(channel)s, %(event)s, r.run_id,
    jsonb_build_object(
        'type', transition.type, 'at', transition.at, 'run_id', r.run_id, 'reason', transition.reason,
        'agencies', (SELECT coalesce(jsonb_agg(slug), '[]') FROM jsonb_object_keys(r.agencies) AS slug)
    )
FROM reporting.seeder_run AS r
CROSS JOIN LATERAL (
    VALUES
        (1, 'START', r.started_at, NULL),
        (
            2,
            CASE WHEN r.stopped_by IS NOT NULL THEN 'ABORT' WHEN r.failed > 0 THEN 'FAIL' ELSE 'COMPLETE' END,
            r.finished_at,
            CASE WHEN r.stopped_by IS NOT NULL THEN 'interrupted' WHEN r.failed > 0 THEN format('%%s failed', r.failed) END
        )
) AS transition (number, type, at, reason)
WHERE (r.finished_at IS NULL OR r.finished_at > clock_timestamp() - interval '1 hour')
    AND r.started_at > clock_timestamp() - interval '2 days'
    AND (%(agencies)s::text[] = '{}' OR r.agencies ?| %(agencies)s::text[])
    AND transition.at IS NOT NULL
    AND NOT EXISTS (
        SELECT
        FROM reporting.seeder_notification AS n
        WHERE n.subject = r.run_id AND n.channel = %(channel)s AND n.event = %(event)s
            AND n.facts ->> 'type' = transition.type
    )
ORDER BY r.started_at, transition.number;

-- name: has_gone
SELECT EXISTS (SELECT FROM reporting.seeder_notification WHERE channel = %(channel)s AND state = 'gone');

-- name: claim_notification
-- The oldest one that is due, unless an earlier one of its subject is pending: that keeps the order of each view.
UPDATE reporting.seeder_notification
SET attempts = attempts + 1, due_at = %(lease_ends_at)s
WHERE id = (
    SELECT n.id
    FROM reporting.seeder_notification AS n
    WHERE n.channel = %(channel)s AND n.state = 'pending' AND n.due_at <= %(now)s
        AND NOT EXISTS (
            SELECT
            FROM reporting.seeder_notification AS earlier
            WHERE earlier.channel = n.channel AND earlier.subject = n.subject AND earlier.state = 'pending'
                AND earlier.id < n.id
        )
    ORDER BY n.id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id, event, facts, created_at, attempts;

-- name: claim_collected
-- All that are due, once the oldest of them has waited for the others.
UPDATE reporting.seeder_notification
SET attempts = attempts + 1, due_at = %(lease_ends_at)s
WHERE id IN (
    SELECT n.id
    FROM reporting.seeder_notification AS n
    WHERE n.channel = %(channel)s AND n.state = 'pending' AND n.due_at <= %(now)s
        AND EXISTS (
            SELECT
            FROM reporting.seeder_notification AS oldest
            WHERE oldest.channel = n.channel AND oldest.state = 'pending' AND oldest.due_at <= %(now)s
                AND oldest.created_at <= %(collected_since)s
        )
    ORDER BY n.id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
RETURNING id, event, facts, created_at, attempts;

-- name: end_attempt
-- Unless another sender has delivered it meanwhile.
UPDATE reporting.seeder_notification
SET state = %(state)s, due_at = coalesce(%(due_at)s, due_at), error = %(error)s,
    ended_at = CASE WHEN %(state)s <> 'pending' THEN %(now)s::timestamptz END
WHERE id = %(id)s AND state = 'pending';

-- name: retry_channel
-- The pending ones and those that were given up are due now. Sent ones stay.
UPDATE reporting.seeder_notification
SET state = 'pending', attempts = 0, due_at = clock_timestamp(), ended_at = NULL
WHERE channel = %(channel)s AND state IN ('pending', 'failed', 'gone')
RETURNING 1;

-- name: undelivered_by_channel
SELECT
    channel,
    count(*) FILTER (WHERE state = 'pending'),
    bool_or(state = 'gone'),
    coalesce(bool_or(state = 'pending' AND created_at < clock_timestamp() - interval '1 hour'), false)
FROM reporting.seeder_notification
WHERE state IN ('pending', 'gone')
GROUP BY channel
ORDER BY channel;
