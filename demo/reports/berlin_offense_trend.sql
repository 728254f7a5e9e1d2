-- Sixteen offenses over eight years: index of the last year (first year 100), the peak, and the slope of a straight
-- line with its fit. Robbery and burglary fall steadily, drug offenses climb, most others only wander.
-- A kind and the category it is contained in are both listed: do not add them. One row per (offense).
WITH offenses AS (
    SELECT o.offense,
           o.contained_in,
           c.year,
           sum(o.offenses)::integer AS offenses
      FROM records.berlin_crimes c
     CROSS JOIN LATERAL (
         VALUES ('Robbery', NULL, c.robbery),
                ('Street robbery', 'Robbery', c.street_robbery),
                ('Bodily injury', NULL, c.injury),
                ('Aggravated assault', 'Bodily injury', c.aggravated_assault),
                ('Threat', NULL, c.threat),
                ('Theft', NULL, c.theft),
                ('Theft of car', 'Theft', c.theft_of_car),
                ('Theft from car', 'Theft', c.theft_from_car),
                ('Theft of bicycle', 'Theft', c.theft_of_bike),
                ('Burglary', 'Theft', c.burglary),
                ('Fire', NULL, c.fire),
                ('Arson', 'Fire', c.arson),
                ('Damage', NULL, c.damage),
                ('Graffiti', 'Damage', c.graffiti),
                ('Drugs', NULL, c.drugs),
                ('Neighbourhood offenses', 'Across all', c.local)
     ) AS o (offense, contained_in, offenses)
     GROUP BY o.offense, o.contained_in, c.year
),
placed AS (
    SELECT offense,
           contained_in,
           year,
           offenses,
           first_value(offenses) OVER (PARTITION BY offense ORDER BY year) AS at_start,
           max(year) OVER (PARTITION BY offense) AS last_year,
           row_number() OVER (PARTITION BY offense ORDER BY offenses DESC, year) AS place
      FROM offenses
)
SELECT offense,
       contained_in,
       min(at_start) AS offenses_first_year,
       max(offenses) FILTER (WHERE year = last_year) AS offenses_last_year,
       round(100.0 * max(offenses) FILTER (WHERE year = last_year) / nullif(min(at_start), 0), 0) AS index_last_year,
       min(year) FILTER (WHERE place = 1) AS peak_year,
       round(100.0 * max(offenses) / nullif(min(at_start), 0), 0) AS peak_index,
       round((100 * regr_slope(offenses, year) / nullif(avg(offenses), 0))::numeric, 1) AS slope_percent_per_year,
       round(regr_r2(offenses, year)::numeric, 2) AS fit
  FROM placed
 GROUP BY offense, contained_in
