"""The FBI's estimates of reported crime by state and for the nation, 1979 to 2019.

Source: FBI Uniform Crime Reporting, copied at https://www.kaggle.com/datasets/tunguz/us-estimated-crimes; licence as
stated there: CC0. What is odd in it:

- The national total is the line with a blank state; it becomes state "US" and `is_nation`.
- Mississippi has no line before 1995, though the national total includes it.
- Rape was redefined: `rape_legacy` ends in 2016, `rape_revised` begins in 2013. A state's `violent_crime` takes the
  revised figure from 2013 on, the nation's only from 2016. So `violent_crime` breaks in 2013; reports that compare
  years add homicide, robbery and aggravated assault, whose definitions did not change.
- Published totals miss the sum of their parts in seven lines (1980 US and 1997 OH property crime; 1981 US, 1997 WA,
  2012 RI, 2013 NH and 2015 HI violent crime; Hawaii 2015 by 681). Kept as published.
- Populations jump where a census corrected them; Alaska 1980 (440,142 between 406,000 and 412,000) looks wrong.
- `caveats` tells in 71 lines what was estimated or left out, such as the homicides of 11 September 2001; many are
  estimates for a state that could not report (Illinois, Kansas, Kentucky, Montana).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from demo.datasets.csv_lines import CsvLine, Dataset, Record


@dataclass(frozen=True, kw_only=True)
class StateYear(Record):
    state: str
    state_name: str
    is_nation: bool
    year: int
    population: int
    violent_crime: int
    homicide: int
    rape_legacy: int | None
    rape_revised: int | None
    robbery: int
    aggravated_assault: int
    property_crime: int
    burglary: int
    larceny: int
    motor_vehicle_theft: int
    caveats: str | None


def state_years(lines: Iterable[CsvLine]) -> Iterator[StateYear]:
    for line in lines:
        state, name = line.optional_text("state_abbr"), line.optional_text("state_name")
        if (state is None) != (name is None):
            raise line.contradiction("a state has an abbreviation and a name, the nation has neither")
        yield StateYear(
            state=state or "US",
            state_name=name or "United States",
            is_nation=state is None,
            year=line.count("year"),
            population=line.count("population"),
            violent_crime=line.count("violent_crime"),
            homicide=line.count("homicide"),
            rape_legacy=line.optional_count("rape_legacy"),
            rape_revised=line.optional_count("rape_revised"),
            robbery=line.count("robbery"),
            aggravated_assault=line.count("aggravated_assault"),
            property_crime=line.count("property_crime"),
            burglary=line.count("burglary"),
            larceny=line.count("larceny"),
            motor_vehicle_theft=line.count("motor_vehicle_theft"),
            caveats=line.optional_text("caveats"),
        )


ESTIMATED_CRIMES = Dataset(
    table="us_estimated_crimes", file="estimated_crimes_1979_2019.csv", record=StateYear, parse=state_years
)
