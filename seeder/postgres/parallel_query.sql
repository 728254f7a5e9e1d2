-- Runs with and without parallel query.

-- name: parallel_trials
-- Runs of a maximum age that kept as many workers of a database busy, with and without parallel query: the latest start of each
-- kind, the number of views that both refreshed, and their total durations. A duration is the median of the latest three
-- runs of its kind. A parallel plan usually has three processes, so if durations differ more than fourfold, the query or its
-- data have changed.
WITH runs AS MATERIALIZED (
    SELECT
        run_id, started_at, (parallel_query ->> %(database)s)::boolean AS parallel,
        row_number() OVER (PARTITION BY parallel_query ->> %(database)s ORDER BY started_at DESC) AS position
    FROM reporting.seeder_run
    WHERE started_at > clock_timestamp() - %(max_age)s::interval AND finished_at IS NOT NULL AND stopped_by IS NULL
        AND workers = %(workers)s AND parallel_query ->> %(database)s IS NOT NULL
), durations AS (
    SELECT
        h.table_name, runs.parallel,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY h.finish_time - h.start_time) AS usual
    FROM runs
    JOIN reporting.seeder_run_history AS h USING (run_id)
    WHERE runs.position <= 3 AND h.status = 'success' AND h.duration_seconds IS NOT NULL
        AND h.table_name = ANY (%(names)s::text[])
    GROUP BY h.table_name, runs.parallel
), pairs AS (
    SELECT count(*) AS views, sum(one.usual) AS total_with, sum(other.usual) AS total_without
    FROM durations AS one
    JOIN durations AS other USING (table_name)
    WHERE one.parallel AND NOT other.parallel AND one.usual < 4 * other.usual AND other.usual < 4 * one.usual
)
SELECT
    clock_timestamp(),
    (SELECT max(started_at) FROM runs WHERE parallel),
    (SELECT max(started_at) FROM runs WHERE NOT parallel),
    views, coalesce(total_with, '0'), coalesce(total_without, '0')
FROM pairs;
