-- How few precincts hold half of the complaints? Ranked by volume, with the running share: where a patrol plan begins.
-- One row per (precinct).
WITH precincts AS (
    SELECT precinct,
           patrol_borough,
           count(*) AS complaints,
           count(*) FILTER (WHERE law_category = 'FELONY') AS felonies,
           mode() WITHIN GROUP (ORDER BY bias_motive) AS commonest_bias
      FROM records.nypd_hate_crimes
     GROUP BY precinct, patrol_borough
),
running AS (
    SELECT precinct,
           patrol_borough,
           complaints,
           felonies,
           commonest_bias,
           sum(complaints) OVER () AS city,
           sum(complaints) OVER by_volume AS up_to_here,
           row_number() OVER by_volume AS place,
           count(*) OVER () AS precincts
      FROM precincts
    WINDOW by_volume AS (ORDER BY complaints DESC, precinct ROWS UNBOUNDED PRECEDING)
)
SELECT place,
       precinct,
       patrol_borough,
       complaints,
       felonies,
       commonest_bias,
       round(100.0 * complaints / nullif(city, 0), 1) AS share_percent,
       round(100.0 * up_to_here / nullif(city, 0), 1) AS running_share_percent,
       round(100.0 * place / nullif(precincts, 0), 1) AS share_of_precincts_percent,
       up_to_here - complaints < city / 2.0 AS is_in_first_half
  FROM running
