-- Searches in the history by names of views.

-- name: latest_rows_of_names
-- The latest rows of each name, by seeder_run_history_latest. coalesce() hides the condition on agencies from the planner.
SELECT latest.id
FROM unnest(%(names)s::text[]) AS wanted (name)
CROSS JOIN LATERAL (
    SELECT h.id
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = wanted.name
        AND coalesce(%(agencies)s::text[] IS NULL OR h.agency_slug = ANY (%(agencies)s::text[]), false)
    ORDER BY h.start_time DESC
    LIMIT %(max_rows)s
) AS latest;
