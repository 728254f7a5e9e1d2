-- A pilot that was switched off: on which weekday are complaints recorded, against an even spread? It told more of the
-- clerks' week than of crime, which is why its manifest is kept and disabled. One row per (weekday), Monday is 1.
WITH days AS (
    SELECT extract(isodow FROM recorded_on)::integer AS weekday,
           count(*) AS complaints
      FROM records.nypd_hate_crimes
     GROUP BY extract(isodow FROM recorded_on)
)
SELECT weekday,
       to_char(make_date(2001, 1, weekday), 'FMDay') AS weekday_name,
       complaints,
       round(700.0 * complaints / nullif(sum(complaints) OVER (), 0), 0) AS index_of_even_spread
  FROM days
