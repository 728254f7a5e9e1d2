-- Where did the work move? Each precinct's last twelve recorded months against the twelve before. The test statistic is
-- that of two Poisson counts; beyond 2 the change is hardly chance, which keeps a rise from 1 to 3 out of the briefing
-- (among 77 precincts three or four will pass by luck all the same).
-- One row per (precinct), precincts with no complaint in either period included.
WITH period AS (
    SELECT (date_trunc('month', max(recorded_on)::timestamp) + INTERVAL '1 month')::date AS until
      FROM records.nypd_hate_crimes
),
counted AS (
    SELECT c.precinct,
           c.patrol_borough,
           p.until,
           count(*) FILTER (WHERE c.recorded_on >= p.until - INTERVAL '12 months') AS latest,
           count(*) FILTER (
               WHERE c.recorded_on >= p.until - INTERVAL '24 months'
                 AND c.recorded_on < p.until - INTERVAL '12 months'
           ) AS before
      FROM records.nypd_hate_crimes c
     CROSS JOIN period p
     GROUP BY c.precinct, c.patrol_borough, p.until
)
SELECT precinct,
       patrol_borough,
       (until - INTERVAL '12 months')::date AS latest_year_from,
       latest AS complaints_latest_year,
       before AS complaints_year_before,
       latest - before AS change,
       round(100.0 * (latest - before) / nullif(before, 0), 1) AS change_percent,
       round((latest - before) / nullif(sqrt((latest + before)::numeric), 0), 2) AS test_statistic,
       coalesce(abs(latest - before) > 2 * sqrt((latest + before)::numeric), false) AS is_hardly_chance
  FROM counted
