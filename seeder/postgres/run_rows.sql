-- Rows of seeder_run.

-- name: insert_run
INSERT INTO reporting.seeder_run (run_id, description, requested_by, started_at, workers, manifests, agencies)
VALUES (%(run)s, %(description)s, %(requested_by)s, clock_timestamp(), %(workers)s, %(manifests)s, %(agencies)s::jsonb);

-- name: start_hold
-- No refresh starts in a database until the hold ends.
UPDATE reporting.seeder_run
SET holds = holds || jsonb_build_object(
    'database', %(database)s::text, 'reason', %(reason)s::text, 'from', clock_timestamp(), 'until', NULL
)
WHERE run_id = %(run)s;

-- name: end_holds
UPDATE reporting.seeder_run
SET holds = (
    SELECT jsonb_agg(
        CASE WHEN hold ->> 'database' = %(database)s AND hold ->> 'until' IS NULL
            THEN hold || jsonb_build_object('until', clock_timestamp()) ELSE hold END
        ORDER BY position
    )
    FROM jsonb_array_elements(holds) WITH ORDINALITY AS held (hold, position)
)
WHERE run_id = %(run)s AND jsonb_array_length(holds) > 0;

-- name: close_run
-- Set the totals of a run from its history rows, unless they are set.
UPDATE reporting.seeder_run AS r
SET finished_at = clock_timestamp(), stopped_by = %(stopped_by)s, manifests = t.manifests, succeeded = t.succeeded,
    failed = t.manifests - t.succeeded, agencies = t.agencies
FROM (
    SELECT
        coalesce(sum(agency.manifests), 0) AS manifests,
        coalesce(sum(agency.succeeded), 0) AS succeeded,
        coalesce(jsonb_object_agg(agency.agency_slug, jsonb_build_object(
            'manifests', agency.manifests, 'succeeded', agency.succeeded,
            'failed', agency.manifests - agency.succeeded
        )), '{}') AS agencies
    FROM (
        SELECT agency_slug, count(*) AS manifests, count(*) FILTER (WHERE status = 'success') AS succeeded
        FROM reporting.seeder_run_history
        WHERE run_id = %(run)s
        GROUP BY agency_slug
    ) AS agency
) AS t
WHERE r.run_id = %(run)s AND r.finished_at IS NULL;
