-- The year so far against the same days of the year before, by bias motive, and where the city's change comes from.
-- "So far" ends on the last recorded day, so a part of a year is never held against a whole one.
-- One row per (bias_motive); motives without a complaint in either period are left out.
WITH period AS (
    SELECT date_trunc('year', max(recorded_on)::timestamp)::date AS this_start,
           max(recorded_on) AS this_end,
           (date_trunc('year', max(recorded_on)::timestamp) - INTERVAL '1 year')::date AS last_start,
           (max(recorded_on) - INTERVAL '1 year')::date AS last_end
      FROM records.nypd_hate_crimes
),
counted AS (
    SELECT c.bias_motive,
           p.this_end AS through,
           count(*) FILTER (WHERE c.recorded_on BETWEEN p.this_start AND p.this_end) AS this_year,
           count(*) FILTER (WHERE c.recorded_on BETWEEN p.last_start AND p.last_end) AS last_year
      FROM records.nypd_hate_crimes c
     CROSS JOIN period p
     WHERE c.recorded_on BETWEEN p.this_start AND p.this_end
        OR c.recorded_on BETWEEN p.last_start AND p.last_end
     GROUP BY c.bias_motive, p.this_end
)
SELECT bias_motive,
       through,
       this_year,
       last_year,
       this_year - last_year AS change,
       round(100.0 * (this_year - last_year) / nullif(last_year, 0), 1) AS change_percent,
       round(100.0 * this_year / nullif(sum(this_year) OVER (), 0), 1) AS share_of_this_year_percent,
       round(100.0 * (this_year - last_year) / nullif(sum(last_year) OVER (), 0), 1) AS points_of_city_change
  FROM counted
