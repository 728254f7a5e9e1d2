-- When in the year do complaints come? Index 100 is an average month of the same year, so a bad year weighs no more
-- than a quiet one. The lowest and highest year show whether a season is real or one event: four years are few.
-- One row per (calendar_month), over complete years only. Reads the view of complaints per month and borough.
WITH city AS (
    SELECT month,
           extract(year FROM month)::integer AS year,
           extract(month FROM month)::integer AS calendar_month,
           sum(complaints) AS complaints
      FROM reporting.demo_hate_crimes_by_month
     GROUP BY month
),
indexed AS (
    SELECT year,
           calendar_month,
           complaints,
           100.0 * complaints / nullif(avg(complaints) OVER (PARTITION BY year), 0) AS month_index,
           count(*) OVER (PARTITION BY year) AS months_in_year
      FROM city
)
SELECT calendar_month,
       to_char(make_date(2000, calendar_month, 1), 'FMMonth') AS month_name,
       count(*) AS years,
       sum(complaints)::integer AS complaints,
       round(avg(month_index), 0) AS seasonality_index,
       round(min(month_index), 0) AS lowest_year_index,
       round(max(month_index), 0) AS highest_year_index,
       count(*) FILTER (WHERE month_index > 100) AS years_above_average
  FROM indexed
 WHERE months_in_year = 12
 GROUP BY calendar_month
