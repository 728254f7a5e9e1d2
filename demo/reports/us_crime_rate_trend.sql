-- The nation's crime rates per 100,000, year by year: change on the year before, and how far below the peak.
-- "Violent" here is homicide, robbery and aggravated assault: rape was redefined in 2013 and would fake a rise.
-- One row per (year). The yardstick every department holds its own figures against.
WITH rates AS (
    SELECT year,
           population,
           100000.0 * homicide / population AS homicide,
           100000.0 * (homicide + robbery + aggravated_assault) / population AS violent,
           100000.0 * property_crime / population AS property,
           100000.0 * burglary / population AS burglary,
           100000.0 * motor_vehicle_theft / population AS vehicle_theft
      FROM records.us_estimated_crimes
     WHERE is_nation
)
SELECT year,
       population,
       round(homicide, 2) AS homicide_rate,
       round(violent, 1) AS violent_rate,
       round(property, 1) AS property_rate,
       round(burglary, 1) AS burglary_rate,
       round(vehicle_theft, 1) AS vehicle_theft_rate,
       round(100 * (violent / nullif(lag(violent) OVER years, 0) - 1), 1) AS violent_change_percent,
       round(100 * (property / nullif(lag(property) OVER years, 0) - 1), 1) AS property_change_percent,
       round(CASE WHEN row_number() OVER years >= 5 THEN avg(violent) OVER (years ROWS 4 PRECEDING) END, 1)
           AS violent_rate_5_year_average,
       round(100 * (violent / nullif(max(violent) OVER (), 0) - 1), 1) AS violent_since_peak_percent,
       round(100 * (property / nullif(max(property) OVER (), 0) - 1), 1) AS property_since_peak_percent
  FROM rates
WINDOW years AS (ORDER BY year)
