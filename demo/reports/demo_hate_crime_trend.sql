-- The city's monthly complaints against their own past: rolling averages take the noise out, the same month of the
-- year before takes the season out. Averages are blank until they have all the months they promise.
-- One row per (month). Reads the view of complaints per month and borough.
WITH city AS (
    SELECT month,
           sum(complaints)::integer AS complaints,
           sum(felonies)::integer AS felonies,
           sum(complaints_with_arrest)::integer AS complaints_with_arrest
      FROM reporting.demo_hate_crimes_by_month
     GROUP BY month
),
windowed AS (
    SELECT month,
           complaints,
           felonies,
           complaints_with_arrest,
           row_number() OVER so_far AS months_so_far,
           avg(complaints) OVER (so_far ROWS 2 PRECEDING) AS average_3,
           avg(complaints) OVER (so_far ROWS 11 PRECEDING) AS average_12,
           lag(complaints, 12) OVER so_far AS year_before
      FROM city
    WINDOW so_far AS (ORDER BY month)
)
SELECT month,
       complaints,
       felonies,
       complaints_with_arrest,
       round(CASE WHEN months_so_far >= 3 THEN average_3 END, 1) AS average_of_3_months,
       round(CASE WHEN months_so_far >= 12 THEN average_12 END, 1) AS average_of_12_months,
       year_before AS complaints_year_before,
       round(100.0 * (complaints - year_before) / nullif(year_before, 0), 1) AS change_on_year_percent
  FROM windowed
