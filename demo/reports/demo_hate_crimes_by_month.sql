-- Hate crime complaints per month and borough, with 0 for months without any, so that later averages are right.
-- Answers: how many, how severe, how many with an arrest, how much of it is vandalism instead of violence.
-- One row per (month, borough). Goes by the day of the record: the published incident month lacks a sound year.
WITH months AS (
    SELECT generate_series(
               date_trunc('month', min(recorded_on)::timestamp),
               date_trunc('month', max(recorded_on)::timestamp),
               INTERVAL '1 month'
           )::date AS month
      FROM records.nypd_hate_crimes
),
boroughs (county, borough) AS (
    VALUES ('BRONX', 'Bronx'),
           ('KINGS', 'Brooklyn'),
           ('NEW YORK', 'Manhattan'),
           ('QUEENS', 'Queens'),
           ('RICHMOND', 'Staten Island')
),
complaints AS (
    SELECT c.complaint_id,
           c.county,
           date_trunc('month', c.recorded_on::timestamp)::date AS month,
           c.law_category = 'FELONY' AS is_felony,
           c.offense LIKE 'CRIMINAL MISCHIEF%' AS is_vandalism,
           EXISTS (
               SELECT 1
                 FROM records.nypd_hate_crime_arrests a
                WHERE a.complaint_id = c.complaint_id
           ) AS has_arrest
      FROM records.nypd_hate_crimes c
)
SELECT m.month,
       b.borough,
       count(c.complaint_id) AS complaints,
       count(c.complaint_id) FILTER (WHERE c.is_felony) AS felonies,
       count(c.complaint_id) FILTER (WHERE c.is_vandalism) AS vandalism,
       count(c.complaint_id) FILTER (WHERE c.has_arrest) AS complaints_with_arrest
  FROM months m
 CROSS JOIN boroughs b
  LEFT JOIN complaints c
    ON c.month = m.month
   AND c.county = b.county
 GROUP BY m.month, b.borough
