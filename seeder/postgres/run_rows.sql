-- Runs as a whole.

-- name: insert_run
INSERT INTO reporting.seeder_run (run_id, description, requested_by, started_at, workers, manifests, agencies)
VALUES (%(run)s, %(description)s, %(requested_by)s, clock_timestamp(), %(workers)s, %(manifests)s, %(agencies)s::jsonb);

-- name: start_hold
-- From now on nothing may start in a database.
UPDATE reporting.seeder_run
SET holds = holds || jsonb_build_object(
    'database', %(database)s::text, 'reason', %(reason)s::text, 'from', clock_timestamp(), 'until', NULL
)
WHERE run_id = %(run)s;

-- name: end_holds
-- What held a database back, for whatever reasons one after the other, is over.
UPDATE reporting.seeder_run
SET holds = (
    SELECT jsonb_agg(
        CASE WHEN hold ->> 'database' = %(database)s AND hold ->> 'until' IS NULL
            THEN hold || jsonb_build_object('until', clock_timestamp()) ELSE hold END
        ORDER BY place
    )
    FROM jsonb_array_elements(holds) WITH ORDINALITY AS held (hold, place)
)
WHERE run_id = %(run)s AND jsonb_array_length(holds) > 0;

-- name: close_run
-- Sum up what the rows of a run say, unless somebody has.
UPDATE reporting.seeder_run AS r
SET finished_at = clock_timestamp(), stopped_by = %(stopped_by)s, manifests = t.manifests, succeeded = t.succeeded,
    failed = t.manifests - t.succeeded, agencies = t.agencies
FROM (
    SELECT
        coalesce(sum(of_agency.manifests), 0) AS manifests,
        coalesce(sum(of_agency.succeeded), 0) AS succeeded,
        coalesce(jsonb_object_agg(of_agency.agency_slug, jsonb_build_object(
            'manifests', of_agency.manifests, 'succeeded', of_agency.succeeded,
            'failed', of_agency.manifests - of_agency.succeeded
        )), '{}') AS agencies
    FROM (
        SELECT agency_slug, count(*) AS manifests, count(*) FILTER (WHERE status = 'success') AS succeeded
        FROM reporting.seeder_run_history
        WHERE run_id = %(run)s
        GROUP BY agency_slug
    ) AS of_agency
) AS t
WHERE r.run_id = %(run)s AND r.finished_at IS NULL;
