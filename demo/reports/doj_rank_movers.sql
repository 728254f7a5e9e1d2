-- Which states changed places? Violent crime ranks, averaged over five years at the start (1979 to 1983) and at the end
-- (2015 to 2019), so that one bad year changes no rank. Ranks are relative: a state can fall in crime and still climb.
-- Part of the climb of the Dakotas and Montana may be better reporting: in 2006 their counts jump by a third and more.
-- One row per (state); Mississippi is missing, having no figures before 1995. Reads the states' ranks.
WITH span AS (
    SELECT min(year) AS first_year,
           max(year) AS last_year
      FROM reporting.us_state_crime_ranks
),
periods AS (
    SELECT r.state,
           r.state_name,
           avg(r.violent_rate) FILTER (WHERE r.year < s.first_year + 5) AS rate_then,
           avg(r.violent_rate) FILTER (WHERE r.year > s.last_year - 5) AS rate_now
      FROM reporting.us_state_crime_ranks r
     CROSS JOIN span s
     GROUP BY r.state, r.state_name
),
ranked AS (
    SELECT state,
           state_name,
           rate_then,
           rate_now,
           rank() OVER (ORDER BY rate_then DESC) AS rank_then,
           rank() OVER (ORDER BY rate_now DESC) AS rank_now
      FROM periods
     WHERE rate_then IS NOT NULL
       AND rate_now IS NOT NULL
)
SELECT state,
       state_name,
       round(rate_then, 1) AS violent_rate_then,
       round(rate_now, 1) AS violent_rate_now,
       round(100 * (rate_now / nullif(rate_then, 0) - 1), 1) AS rate_change_percent,
       rank_then,
       rank_now,
       rank_then - rank_now AS places_climbed
  FROM ranked
