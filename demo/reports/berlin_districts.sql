-- Berlin's districts year by year: offenses, share of the city, rank, change on the year before and since 2012. Shares
-- and changes, not rates: the source has no population, and Mitte's visitors would spoil a rate anyhow.
-- Only whole categories are added (their kinds are contained in them). One row per (district, year).
WITH districts AS (
    SELECT district,
           year,
           sum(robbery + injury + threat) AS against_persons,
           sum(theft) AS thefts,
           sum(robbery + injury + threat + theft + fire + damage + drugs) AS offenses,
           sum(drugs) AS drug_offenses
      FROM records.berlin_crimes
     GROUP BY district, year
)
SELECT district,
       year,
       offenses,
       against_persons,
       thefts,
       drug_offenses,
       rank() OVER (PARTITION BY year ORDER BY offenses DESC) AS rank_in_city,
       round(100.0 * offenses / nullif(sum(offenses) OVER (PARTITION BY year), 0), 1) AS share_of_city_percent,
       round(100.0 * against_persons / nullif(offenses, 0), 1) AS against_persons_percent,
       round(100.0 * (offenses - lag(offenses) OVER years) / nullif(lag(offenses) OVER years, 0), 1) AS change_percent,
       round(100.0 * (offenses - first_value(offenses) OVER years) / nullif(first_value(offenses) OVER years, 0), 1)
           AS change_since_start_percent
  FROM districts
WINDOW years AS (PARTITION BY district ORDER BY year)
