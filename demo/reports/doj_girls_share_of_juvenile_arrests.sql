-- The share of girls among arrested juveniles, by offense and year, with its change since the first year in percentage
-- points. It rose in nearly all offenses, as boys' arrests fell faster: read it beside the counts of both.
-- Left out: offense-years whose arrests by race are under 90 % of those by age (four in 2013, plainly misreported), and
-- offenses with fewer than 1,000 arrests in any year, whose shares jump about. One row per (offense_code, year).
WITH arrests AS (
    SELECT offense_code,
           offense,
           year,
           male,
           female,
           100.0 * female / nullif(male + female, 0) AS girls,
           min(male + female) OVER (PARTITION BY offense_code) AS fewest
      FROM records.us_juvenile_arrests
     WHERE white + black + coalesce(asian_pacific_islander, 0) + coalesce(american_indian, 0) >= 0.9 * (male + female)
)
SELECT offense_code,
       offense,
       year,
       male AS boys_arrested,
       female AS girls_arrested,
       round(girls, 1) AS girls_percent,
       round(girls - first_value(girls) OVER years, 1) AS points_since_first_year,
       round(100.0 * (male - first_value(male) OVER years) / nullif(first_value(male) OVER years, 0), 1)
           AS boys_change_percent,
       round(100.0 * (female - first_value(female) OVER years) / nullif(first_value(female) OVER years, 0), 1)
           AS girls_change_percent
  FROM arrests
 WHERE fewest >= 1000
WINDOW years AS (PARTITION BY offense_code ORDER BY year)
