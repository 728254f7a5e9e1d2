"""NYPD hate crimes, complaints recorded from 2019-01-01 to 2023-09-30.

Source: New York City Police Department (NYC Open Data), copied at
https://www.kaggle.com/datasets/manjitbaishya001/nypd-hate-crimes; licence as stated there: Apache 2.0.

One line of the file is one arrest, or one complaint without arrest: 2406 lines tell of 2200 complaints, and of
the columns only `Arrest Id` differs between the lines of a complaint. Counting lines would therefore count one
complaint eleven times, as ten were arrested for it; we load complaints and arrests as two tables. What is odd in it:

- `Arrest Date` is blank in every line, so it is left out: who was arrested is known, when is not.
- 61 complaints have a line without arrest beside lines with one; that line adds nothing.
- 7 arrests belong to several complaints, so an arrest id alone is no key.
- `Complaint Year Number` and `Month Number` are no date together: the year is that of the record (in all but 3
  complaints), the month that of the incident, so 15 complaints read as recorded before they happened ("2023, 12",
  recorded on 2023-01-01). Kept as published; reports go by the day of the record.
- Long descriptions are cut at 30 characters and "HARRASSMENT 2" is misspelt at the source; both are kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from demo.datasets.csv_lines import CsvLine, Dataset, Record


@dataclass(frozen=True, kw_only=True)
class Complaint(Record):
    complaint_id: int
    complaint_year: int
    complaint_month: int
    recorded_on: date
    precinct: int
    patrol_borough: str
    county: str
    law_category: str
    offense: str
    charge: str
    bias_motive: str
    bias_category: str


@dataclass(frozen=True, kw_only=True)
class Arrest(Record):
    complaint_id: int
    arrest_id: str


def complaints(lines: Iterable[CsvLine]) -> Iterator[Complaint]:
    """Return each complaint once. Lines that contradict each other are an error."""
    seen: dict[int, Complaint] = {}
    for line in lines:
        complaint = _complaint(line)
        first = seen.setdefault(complaint.complaint_id, complaint)
        if first is complaint:
            yield complaint
        elif first != complaint:
            raise line.contradiction(f"complaint {complaint.complaint_id} was described differently before")


def arrests(lines: Iterable[CsvLine]) -> Iterator[Arrest]:
    for line in lines:
        if arrest_id := line.optional_text("Arrest Id"):
            yield Arrest(complaint_id=line.count("Full Complaint ID"), arrest_id=arrest_id)


def _complaint(line: CsvLine) -> Complaint:
    return Complaint(
        complaint_id=line.count("Full Complaint ID"),
        complaint_year=line.count("Complaint Year Number"),
        complaint_month=line.count("Month Number"),
        recorded_on=line.american_date("Record Create Date"),
        precinct=line.count("Complaint Precinct Code"),
        patrol_borough=line.text("Patrol Borough Name"),
        county=line.text("County"),
        law_category=line.text("Law Code Category Description"),
        offense=line.text("Offense Description"),
        charge=line.text("PD Code Description"),
        bias_motive=line.text("Bias Motive Description"),
        bias_category=line.text("Offense Category"),
    )


HATE_CRIMES = Dataset(table="nypd_hate_crimes", file="nypd_hate_crimes.csv", record=Complaint, parse=complaints)
HATE_CRIME_ARRESTS = Dataset(table="nypd_hate_crime_arrests", file="nypd_hate_crimes.csv", record=Arrest, parse=arrests)
