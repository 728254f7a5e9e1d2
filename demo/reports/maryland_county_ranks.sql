-- Every county against the median county of its year: rates per 100,000, rank (1 is the highest) and ratio, smoothed
-- over three years because in a county of 20,000 people a dozen cases move the rank.
-- One row per (jurisdiction, year), from the third year on.
WITH smoothed AS (
    SELECT jurisdiction,
           year,
           population,
           violent_crimes,
           property_crimes,
           100000.0 * sum(violent_crimes) OVER three_years / sum(population) OVER three_years AS violent,
           100000.0 * sum(property_crimes) OVER three_years / sum(population) OVER three_years AS property,
           count(*) OVER three_years AS years
      FROM records.maryland_crimes
    WINDOW three_years AS (PARTITION BY jurisdiction ORDER BY year ROWS 2 PRECEDING)
),
medians AS (
    SELECT year,
           (percentile_cont(0.5) WITHIN GROUP (ORDER BY violent))::numeric AS violent,
           (percentile_cont(0.5) WITHIN GROUP (ORDER BY property))::numeric AS property
      FROM smoothed
     GROUP BY year
)
SELECT s.jurisdiction,
       s.year,
       s.population,
       s.violent_crimes,
       s.property_crimes,
       round(s.violent, 1) AS violent_rate_3_years,
       round(s.property, 1) AS property_rate_3_years,
       rank() OVER (PARTITION BY s.year ORDER BY s.violent DESC) AS violent_rank,
       rank() OVER (PARTITION BY s.year ORDER BY s.property DESC) AS property_rank,
       round(s.violent / nullif(m.violent, 0), 2) AS violent_to_median,
       round(s.property / nullif(m.property, 0), 2) AS property_to_median
  FROM smoothed s
  JOIN medians m ON m.year = s.year
 WHERE s.years = 3
