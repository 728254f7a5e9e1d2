-- Which share of complaints led to an arrest, by bias motive? A share of few complaints says little, so each has
-- its 95 % Wilson interval, and "differs from the city" only if the interval leaves the city's own share out.
-- One row per (bias_motive). Long intervals are the message for rare motives, not a flaw.
WITH complaints AS (
    SELECT c.bias_motive,
           c.bias_category,
           EXISTS (
               SELECT 1
                 FROM records.nypd_hate_crime_arrests a
                WHERE a.complaint_id = c.complaint_id
           ) AS has_arrest
      FROM records.nypd_hate_crimes c
),
motives AS (
    SELECT bias_motive,
           min(bias_category) AS bias_category,
           count(*)::numeric AS n,
           count(*) FILTER (WHERE has_arrest) AS with_arrest,
           avg(has_arrest::integer) AS share,
           1.96 ^ 2 AS z2
      FROM complaints
     GROUP BY bias_motive
),
intervals AS (
    SELECT bias_motive,
           bias_category,
           n,
           with_arrest,
           share,
           (share + z2 / (2 * n) - 1.96 * sqrt((share * (1 - share) + z2 / (4 * n)) / n)) / (1 + z2 / n) AS low,
           (share + z2 / (2 * n) + 1.96 * sqrt((share * (1 - share) + z2 / (4 * n)) / n)) / (1 + z2 / n) AS high,
           sum(with_arrest) OVER () / sum(n) OVER () AS city_share
      FROM motives
)
SELECT bias_motive,
       bias_category,
       n::integer AS complaints,
       with_arrest AS complaints_with_arrest,
       round(100 * share, 1) AS arrest_share_percent,
       round(100 * low, 1) AS at_least_percent,
       round(100 * high, 1) AS at_most_percent,
       round(100 * city_share, 1) AS city_share_percent,
       city_share NOT BETWEEN low AND high AS differs_from_city
  FROM intervals
