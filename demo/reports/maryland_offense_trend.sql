-- The state by offense: rate per 100,000, change on the year before, five-year average and distance from the offense's
-- own peak. Shows what totals hide: since 2014 murder is back up by half while burglary and larceny keep falling.
-- One row per (offense, year).
WITH offenses AS (
    SELECT o.offense,
           o.place,
           c.year,
           sum(o.crimes) AS crimes,
           sum(c.population) AS population
      FROM records.maryland_crimes c
     CROSS JOIN LATERAL (
         VALUES (1, 'Murder', c.murder),
                (2, 'Rape', c.rape),
                (3, 'Robbery', c.robbery),
                (4, 'Aggravated assault', c.aggravated_assault),
                (5, 'Burglary', c.burglary),
                (6, 'Larceny', c.larceny),
                (7, 'Motor vehicle theft', c.motor_vehicle_theft)
     ) AS o (place, offense, crimes)
     GROUP BY o.offense, o.place, c.year
),
rates AS (
    SELECT offense,
           place,
           year,
           crimes,
           population,
           100000.0 * crimes / nullif(population, 0) AS rate
      FROM offenses
)
SELECT offense,
       place AS offense_order,
       year,
       crimes::integer AS crimes,
       population::integer AS population,
       round(rate, 1) AS rate,
       round(100 * (rate / nullif(lag(rate) OVER years, 0) - 1), 1) AS change_percent,
       round(CASE WHEN row_number() OVER years >= 5 THEN avg(rate) OVER (years ROWS 4 PRECEDING) END, 1)
           AS rate_5_year_average,
       round(100 * (rate / nullif(max(rate) OVER (PARTITION BY offense), 0) - 1), 1) AS since_peak_percent
  FROM rates
WINDOW years AS (PARTITION BY offense ORDER BY year)
