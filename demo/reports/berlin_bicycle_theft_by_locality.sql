-- Bicycle theft, locality by locality: the last three years against the first three, and the running share of the city:
-- where to mark bicycles and where a hot spot has moved. One row per (location_code).
-- Offences not assignable to a locality are left out of the ranking.
WITH periods AS (
    SELECT location_code,
           location,
           district,
           sum(theft_of_bike) FILTER (WHERE year <= first_year + 2) AS earlier,
           sum(theft_of_bike) FILTER (WHERE year >= last_year - 2) AS later
      FROM (
          SELECT location_code,
                 location,
                 district,
                 year,
                 theft_of_bike,
                 min(year) OVER () AS first_year,
                 max(year) OVER () AS last_year
            FROM records.berlin_crimes
           WHERE is_located
      ) AS located
     GROUP BY location_code, location, district
),
running AS (
    SELECT location_code,
           location,
           district,
           earlier,
           later,
           sum(later) OVER () AS city_later,
           sum(earlier) OVER () AS city_earlier,
           sum(later) OVER by_volume AS up_to_here,
           row_number() OVER by_volume AS place
      FROM periods
    WINDOW by_volume AS (ORDER BY later DESC, location_code ROWS UNBOUNDED PRECEDING)
)
SELECT location_code,
       location,
       district,
       place,
       round(earlier / 3.0, 1) AS thefts_per_year_earlier,
       round(later / 3.0, 1) AS thefts_per_year_later,
       round(100.0 * (later - earlier) / nullif(earlier, 0), 1) AS change_percent,
       round(100.0 * (city_later - city_earlier) / nullif(city_earlier, 0), 1) AS city_change_percent,
       round(100.0 * up_to_here / nullif(city_later, 0), 1) AS running_share_percent,
       up_to_here - later < city_later / 2.0 AS is_in_first_half
  FROM running
