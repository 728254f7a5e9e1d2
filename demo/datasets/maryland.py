"""Crime in Maryland's 23 counties and Baltimore City, 1975 to 2020.

Source: State of Maryland (Maryland Open Data), copied at
https://www.kaggle.com/datasets/msjahid/maryland-crime-data-by-county-1975-present; licence as stated there: CC0.

All 24 jurisdictions have all 46 years, and in every line the offenses sum to the published totals. Of the 38 columns 24
more are rates and percent changes that follow from the counts; they are left out, except the overall rate, which lets
a reader check our arithmetic against the publisher's. "B & E" (breaking and entering) is burglary.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from demo.datasets.csv_lines import CsvLine, Dataset, Record


@dataclass(frozen=True, kw_only=True)
class CountyYear(Record):
    jurisdiction: str
    year: int
    population: int
    murder: int
    rape: int
    robbery: int
    aggravated_assault: int
    burglary: int
    larceny: int
    motor_vehicle_theft: int
    violent_crimes: int
    property_crimes: int
    all_crimes: int
    all_crimes_per_100k: Decimal


def county_years(lines: Iterable[CsvLine]) -> Iterator[CountyYear]:
    for line in lines:
        yield CountyYear(
            jurisdiction=line.text("JURISDICTION"),
            year=line.count("YEAR"),
            population=line.count("POPULATION"),
            murder=line.count("MURDER"),
            rape=line.count("RAPE"),
            robbery=line.count("ROBBERY"),
            aggravated_assault=line.count("AGG. ASSAULT"),
            burglary=line.count("B & E"),
            larceny=line.count("LARCENY THEFT"),
            motor_vehicle_theft=line.count("M/V THEFT"),
            violent_crimes=line.count("VIOLENT CRIME TOTAL"),
            property_crimes=line.count("PROPERTY CRIME TOTALS"),
            all_crimes=line.count("GRAND TOTAL"),
            all_crimes_per_100k=line.decimal("OVERALL CRIME RATE PER 100,000 PEOPLE"),
        )


CRIMES = Dataset(table="maryland_crimes", file="MD_Crime_Data.csv", record=CountyYear, parse=county_years)
