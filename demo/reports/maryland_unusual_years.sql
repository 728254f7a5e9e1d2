-- Which figures need a second look? County, offense and year whose count lies far outside the ten years before it, by
-- z-score of the rate; only counts of 20 and more, where one case does not make a headline. Finds real turns (robbery
-- around 1989, larceny in 2020) and changes of counting (rape, redefined in 2013) alike: the analyst
-- decides which it was.
-- One row per (jurisdiction, offense, year).
WITH rates AS (
    SELECT c.jurisdiction,
           o.offense,
           c.year,
           o.crimes,
           100000.0 * o.crimes / c.population AS rate
      FROM records.maryland_crimes c
     CROSS JOIN LATERAL (
         VALUES ('Murder', c.murder),
                ('Rape', c.rape),
                ('Robbery', c.robbery),
                ('Aggravated assault', c.aggravated_assault),
                ('Burglary', c.burglary),
                ('Larceny', c.larceny),
                ('Motor vehicle theft', c.motor_vehicle_theft)
     ) AS o (offense, crimes)
),
baseline AS (
    SELECT jurisdiction,
           offense,
           year,
           crimes,
           rate,
           count(*) OVER ten_years AS years_before,
           avg(rate) OVER ten_years AS usual,
           stddev_samp(rate) OVER ten_years AS deviation
      FROM rates
    WINDOW ten_years AS (PARTITION BY jurisdiction, offense ORDER BY year ROWS BETWEEN 10 PRECEDING AND 1 PRECEDING)
)
SELECT jurisdiction,
       offense,
       year,
       crimes,
       round(rate, 1) AS rate,
       round(usual, 1) AS usual_rate,
       round((rate - usual) / nullif(deviation, 0), 1) AS z_score,
       CASE WHEN rate > usual THEN 'above' ELSE 'below' END AS direction
  FROM baseline
 WHERE years_before = 10
   AND crimes >= 20
   AND abs(rate - usual) > 3 * deviation
