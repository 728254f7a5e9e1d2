-- Every state's violent and property crime rate per 100,000, its rank among the states of that year (1 is the highest)
-- and its ratio to the median state. Mississippi only appears from 1995, and District of Columbia is a city among
-- states: mind both before quoting a rank. One row per (state, year).
-- "Violent" is homicide, robbery and aggravated assault, the same from 1979 to 2019; rape changed its definition.
WITH rates AS (
    SELECT state,
           state_name,
           year,
           population,
           100000.0 * homicide / population AS homicide,
           100000.0 * (homicide + robbery + aggravated_assault) / population AS violent,
           100000.0 * property_crime / population AS property
      FROM records.us_estimated_crimes
     WHERE NOT is_nation
),
medians AS (
    SELECT year,
           count(*) AS states,
           (percentile_cont(0.5) WITHIN GROUP (ORDER BY violent))::numeric AS violent,
           (percentile_cont(0.5) WITHIN GROUP (ORDER BY property))::numeric AS property
      FROM rates
     GROUP BY year
)
SELECT r.state,
       r.state_name,
       r.year,
       r.population,
       round(r.homicide, 2) AS homicide_rate,
       round(r.violent, 1) AS violent_rate,
       round(r.property, 1) AS property_rate,
       rank() OVER (PARTITION BY r.year ORDER BY r.violent DESC) AS violent_rank,
       rank() OVER (PARTITION BY r.year ORDER BY r.property DESC) AS property_rank,
       m.states AS states_ranked,
       round(r.violent / nullif(m.violent, 0), 2) AS violent_to_median,
       round(r.property / nullif(m.property, 0), 2) AS property_to_median
  FROM rates r
  JOIN medians m ON m.year = r.year
