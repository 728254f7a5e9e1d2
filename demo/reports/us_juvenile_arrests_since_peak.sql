-- Juvenile arrests per offense: when was the peak, where are we now, was the fall steady? Rates per 100,000 people
-- living where agencies reported, since more agencies report every year. The slope is of the last ten years, per year.
-- Left out: offense-years whose arrests by race are under 90 % of those by age (four in 2013, plainly misreported).
-- One row per (offense_code).
WITH rates AS (
    SELECT offense_code,
           offense,
           year,
           male + female AS arrests,
           100000.0 * (male + female) / population AS rate
      FROM records.us_juvenile_arrests
     WHERE white + black + coalesce(asian_pacific_islander, 0) + coalesce(american_indian, 0) >= 0.9 * (male + female)
),
spans AS (
    SELECT offense_code,
           offense,
           year,
           arrests,
           rate,
           max(year) OVER (PARTITION BY offense_code) AS last_year,
           row_number() OVER (PARTITION BY offense_code ORDER BY rate DESC, year) AS place
      FROM rates
)
SELECT offense_code,
       offense,
       min(year) FILTER (WHERE place = 1) AS peak_year,
       round(max(rate), 2) AS peak_rate,
       max(last_year) AS latest_year,
       max(arrests) FILTER (WHERE year = last_year) AS latest_arrests,
       round(max(rate) FILTER (WHERE year = last_year), 2) AS latest_rate,
       round(100 * (max(rate) FILTER (WHERE year = last_year) / nullif(max(rate), 0) - 1), 1) AS since_peak_percent,
       round(
           (100 * regr_slope(rate, year) FILTER (WHERE year > last_year - 10)
               / nullif(avg(rate) FILTER (WHERE year > last_year - 10), 0))::numeric,
           1
       ) AS ten_year_slope_percent,
       round((regr_r2(rate, year) FILTER (WHERE year > last_year - 10))::numeric, 2) AS ten_year_fit
  FROM spans
 GROUP BY offense_code, offense
