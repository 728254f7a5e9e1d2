"""Arrests of people under 18 in the United States, by offense, age, sex and race, 1994 to 2016.

Source: FBI Uniform Crime Reporting, copied at https://www.kaggle.com/datasets/tjkyner/us-juvenile-arrests-by-crime;
licence as stated there: CC0. Its 30 offenses have all 23 years. What is odd in it:

- `state_abbr` is always blank and `id` only numbers the lines; both are left out.
- No cell holds a nought and the ages sum to the totals of boys and girls only if a blank is one: a blank count is 0.
- `agencies` and `population` are those that reported, from 195 to 265 million people: compare rates, not counts.
- In 2013 four offenses (larceny, motor vehicle theft, liquor laws, all other) have arrests by age far above those by
  race, motor vehicle theft three times: the ages are wrong. Kept as published; reports leave those four points out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from demo.datasets.csv_lines import CsvLine, Dataset, Record


@dataclass(frozen=True, kw_only=True)
class OffenseYear(Record):
    year: int
    offense_code: str
    offense: str
    agencies: int
    population: int
    male: int
    female: int
    male_0_9: int
    male_10_12: int
    male_13_14: int
    male_15: int
    male_16: int
    male_17: int
    female_0_9: int
    female_10_12: int
    female_13_14: int
    female_15: int
    female_16: int
    female_17: int
    race_agencies: int
    race_population: int
    white: int
    black: int
    asian_pacific_islander: int
    american_indian: int


def offense_years(lines: Iterable[CsvLine]) -> Iterator[OffenseYear]:
    for line in lines:
        yield OffenseYear(
            year=line.count("year"),
            offense_code=line.text("offense_code"),
            offense=line.text("offense_name"),
            agencies=line.count("agencies"),
            population=line.count("population"),
            male=line.count("total_male"),
            female=line.count("total_female"),
            male_0_9=line.optional_count("m_0_9") or 0,
            male_10_12=line.optional_count("m_10_12") or 0,
            male_13_14=line.optional_count("m_13_14") or 0,
            male_15=line.optional_count("m_15") or 0,
            male_16=line.optional_count("m_16") or 0,
            male_17=line.optional_count("m_17") or 0,
            female_0_9=line.optional_count("f_0_9") or 0,
            female_10_12=line.optional_count("f_10_12") or 0,
            female_13_14=line.optional_count("f_13_14") or 0,
            female_15=line.optional_count("f_15") or 0,
            female_16=line.optional_count("f_16") or 0,
            female_17=line.optional_count("f_17") or 0,
            race_agencies=line.count("race_agencies"),
            race_population=line.count("race_population"),
            white=line.count("white"),
            black=line.count("black"),
            asian_pacific_islander=line.optional_count("asian_pacific_islander") or 0,
            american_indian=line.optional_count("american_indian") or 0,
        )


ARRESTS = Dataset(
    table="us_juvenile_arrests", file="arrests_national_juvenile.csv", record=OffenseYear, parse=offense_years
)
