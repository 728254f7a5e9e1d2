-- Which months broke the pattern? Each month against the twelve before it: a z-score beyond 2 asks for an explanation
-- (as April 2020 and spring 2021 do); it is a flag and no verdict, since twelve months are few.
-- One row per (month), from the thirteenth month on. Reads the trend, which reads the view of complaints per month.
WITH baseline AS (
    SELECT month,
           complaints,
           change_on_year_percent,
           count(*) OVER year_before AS months_before,
           avg(complaints) OVER year_before AS usual,
           stddev_samp(complaints) OVER year_before AS usual_deviation
      FROM reporting.demo_hate_crime_trend
    WINDOW year_before AS (ORDER BY month ROWS BETWEEN 12 PRECEDING AND 1 PRECEDING)
),
scored AS (
    SELECT month,
           complaints,
           change_on_year_percent,
           usual,
           usual_deviation,
           (complaints - usual) / nullif(usual_deviation, 0) AS z_score
      FROM baseline
     WHERE months_before = 12
)
SELECT month,
       complaints,
       round(usual, 1) AS usual_complaints,
       round(usual_deviation, 1) AS usual_deviation,
       round(z_score, 2) AS z_score,
       coalesce(abs(z_score) > 2, false) AS is_unusual,
       CASE WHEN z_score > 2 THEN 'above' WHEN z_score < -2 THEN 'below' ELSE 'as usual' END AS verdict,
       change_on_year_percent
  FROM scored
