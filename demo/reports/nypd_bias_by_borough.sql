-- Which bias is a borough's own? The location quotient is the motive's share in the borough over its share in the city:
-- 2 means twice as common there. Pairs that would be expected under 5 times by chance are marked as too few to judge.
-- One row per (borough, bias_motive), for pairs that occurred or were expected at least 5 times.
WITH boroughs (county, borough) AS (
    VALUES ('BRONX', 'Bronx'),
           ('KINGS', 'Brooklyn'),
           ('NEW YORK', 'Manhattan'),
           ('QUEENS', 'Queens'),
           ('RICHMOND', 'Staten Island')
),
pairs AS (
    SELECT b.borough,
           m.bias_motive,
           count(c.complaint_id) AS complaints
      FROM boroughs b
     CROSS JOIN (SELECT DISTINCT bias_motive FROM records.nypd_hate_crimes) m
      LEFT JOIN records.nypd_hate_crimes c
        ON c.county = b.county
       AND c.bias_motive = m.bias_motive
     GROUP BY b.borough, m.bias_motive
),
totals AS (
    SELECT borough,
           bias_motive,
           complaints,
           sum(complaints) OVER (PARTITION BY borough) AS in_borough,
           sum(complaints) OVER (PARTITION BY bias_motive) AS of_motive,
           sum(complaints) OVER () AS in_city
      FROM pairs
),
expected AS (
    SELECT borough,
           bias_motive,
           complaints,
           in_borough,
           of_motive,
           in_city,
           in_borough * of_motive / nullif(in_city, 0) AS by_chance
      FROM totals
)
SELECT borough,
       bias_motive,
       complaints,
       round(by_chance, 1) AS expected_complaints,
       round(100.0 * complaints / nullif(in_borough, 0), 1) AS share_in_borough_percent,
       round(100.0 * of_motive / nullif(in_city, 0), 1) AS share_in_city_percent,
       round(complaints / nullif(by_chance, 0), 2) AS location_quotient,
       round((complaints - by_chance) / nullif(sqrt(by_chance), 0), 1) AS standard_deviations,
       by_chance < 5 AS too_few_to_judge
  FROM expected
 WHERE complaints > 0
    OR by_chance >= 5
