"""Offences in Berlin's 12 districts and their 138 localities, 2012 to 2019.

Source: Polizei Berlin (Kriminalitätsatlas), copied at
https://www.kaggle.com/datasets/danilzyryanov/crime-in-berlin-2012-2019; licence as stated there: CC0.

Columns overlap: robbery includes street robbery, injury includes aggravated assault, theft includes cars, from cars,
bikes and burglary, fire includes arson, damage includes graffiti, and "local" (Kieztaten) cuts across all. Do not add a
part to its whole. The file has no population: shares and changes can be had, rates per inhabitant cannot. What is odd:

- Location codes lost their leading nought (10111 is 010111); given back, so they sort and join as the city's do.
- Each district has a line "nicht zuzuordnen" a year: known to be in the district, not where. `is_located` is false.
- In three of those lines a part is larger than its whole (street robbery once, arson twice). Kept as published.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from demo.datasets.csv_lines import CsvLine, Dataset, Record


@dataclass(frozen=True, kw_only=True)
class LocationYear(Record):
    year: int
    district: str
    location_code: str
    location: str
    is_located: bool
    robbery: int
    street_robbery: int
    injury: int
    aggravated_assault: int
    threat: int
    theft: int
    theft_of_car: int
    theft_from_car: int
    theft_of_bike: int
    burglary: int
    fire: int
    arson: int
    damage: int
    graffiti: int
    drugs: int
    local: int


def location_years(lines: Iterable[CsvLine]) -> Iterator[LocationYear]:
    for line in lines:
        location = line.text("Location")
        yield LocationYear(
            year=line.count("Year"),
            district=line.text("District"),
            location_code=f"{line.count('Code'):06}",
            location=location,
            is_located="nicht zuzuordnen" not in location,
            robbery=line.count("Robbery"),
            street_robbery=line.count("Street_robbery"),
            injury=line.count("Injury"),
            aggravated_assault=line.count("Agg_assault"),
            threat=line.count("Threat"),
            theft=line.count("Theft"),
            theft_of_car=line.count("Car"),
            theft_from_car=line.count("From_car"),
            theft_of_bike=line.count("Bike"),
            burglary=line.count("Burglary"),
            fire=line.count("Fire"),
            arson=line.count("Arson"),
            damage=line.count("Damage"),
            graffiti=line.count("Graffiti"),
            drugs=line.count("Drugs"),
            local=line.count("Local"),
        )


CRIMES = Dataset(table="berlin_crimes", file="Berlin_crimes.csv", record=LocationYear, parse=location_years)
