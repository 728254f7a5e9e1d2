"""The content of the public files, read without a database."""

from collections import Counter
from dataclasses import FrozenInstanceError, fields
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from demo.datasets import (
    DATASETS,
    Dataset,
    Record,
    UnreadableFileError,
    berlin,
    juveniles,
    maryland,
    nypd,
    records_of,
    us_states,
)
from demo.datasets.csv_lines import read_lines

ROWS = {
    "nypd_hate_crimes": 2200,
    "nypd_hate_crime_arrests": 987,
    "maryland_crimes": 24 * 46,
    "us_estimated_crimes": 41 * 52 - 16,  # Mississippi is missing until 1994
    "us_juvenile_arrests": 23 * 30,
    "berlin_crimes": 8 * 150,
}
KEYS = {
    "nypd_hate_crimes": ("complaint_id",),
    "nypd_hate_crime_arrests": ("complaint_id", "arrest_id"),
    "maryland_crimes": ("jurisdiction", "year"),
    "us_estimated_crimes": ("state", "year"),
    "us_juvenile_arrests": ("offense_code", "year"),
    "berlin_crimes": ("location_code", "year"),
}
every_dataset = pytest.mark.parametrize("dataset", DATASETS, ids=[dataset.table for dataset in DATASETS])


def only_record(dataset: Dataset, **values: object) -> Any:
    """Return the only record of a dataset with these values."""
    (record,) = (
        record
        for record in records_of(dataset)
        if all(getattr(record, field) == value for field, value in values.items())
    )
    return record


@every_dataset
def test_every_record_of_the_file_is_read(dataset: Dataset) -> None:
    assert len(list(records_of(dataset))) == ROWS[dataset.table]


@every_dataset
def test_key_is_unique(dataset: Dataset) -> None:
    counts = Counter(tuple(getattr(record, field) for field in KEYS[dataset.table]) for record in records_of(dataset))
    assert [key for key, count in counts.items() if count > 1] == []


@every_dataset
def test_values_have_the_types_of_their_fields(dataset: Dataset) -> None:
    for record in records_of(dataset):
        for field in fields(record):
            assert isinstance(getattr(record, field.name), field.type), (record, field.name)  # type: ignore[arg-type]  # the modules do not postpone annotations


def test_record_cannot_be_changed() -> None:
    record: Record = next(records_of(maryland.CRIMES))
    with pytest.raises(FrozenInstanceError):
        record.year = 2021  # type: ignore[attr-defined]  # the assignment has to fail


def test_complaint_is_read_completely() -> None:
    assert only_record(nypd.HATE_CRIMES, complaint_id=202206012204617) == nypd.Complaint(
        complaint_id=202206012204617,
        complaint_year=2022,
        complaint_month=3,
        recorded_on=date(2022, 3, 7),
        precinct=60,
        patrol_borough="PATROL BORO BKLYN SOUTH",
        county="KINGS",
        law_category="FELONY",
        offense="MISCELLANEOUS PENAL LAW",
        charge="AGGRAVATED HARASSMENT 1",
        bias_motive="ANTI-JEWISH",
        bias_category="Religion/Religious Practice",
    )


def test_complaint_with_many_arrests_is_one_record() -> None:
    arrests = Counter(
        record.complaint_id for record in records_of(nypd.HATE_CRIME_ARRESTS) if isinstance(record, nypd.Arrest)
    )
    (complaint_id, count), *_ = arrests.most_common(1)
    assert count == 10
    assert only_record(nypd.HATE_CRIMES, complaint_id=complaint_id)


def test_every_arrest_belongs_to_a_complaint() -> None:
    complaints = {record.complaint_id for record in records_of(nypd.HATE_CRIMES) if isinstance(record, nypd.Complaint)}
    arrests = {record.complaint_id for record in records_of(nypd.HATE_CRIME_ARRESTS) if isinstance(record, nypd.Arrest)}
    assert arrests <= complaints


def test_county_has_counts_and_an_exact_rate() -> None:
    allegany = only_record(maryland.CRIMES, jurisdiction="Allegany County", year=1975)
    assert (allegany.population, allegany.burglary, allegany.all_crimes) == (79655, 669, 2329)
    assert allegany.all_crimes_per_100k == Decimal("2923.9")


def test_line_without_a_state_is_the_nation() -> None:
    nation = only_record(us_states.ESTIMATED_CRIMES, is_nation=True, year=2019)
    assert (nation.state, nation.state_name, nation.population) == ("US", "United States", 328239523)


def test_rape_by_an_unused_definition_is_unknown() -> None:
    early, late = (only_record(us_states.ESTIMATED_CRIMES, state="WY", year=year) for year in (1979, 2019))
    assert (early.rape_revised, late.rape_legacy, late.rape_revised) == (None, None, 324)
    assert early.rape_legacy > 0


def test_caveats_are_stripped_and_blank_is_none() -> None:
    assert only_record(us_states.ESTIMATED_CRIMES, state="AL", year=2011).caveats.endswith("previous years' data.")
    assert only_record(us_states.ESTIMATED_CRIMES, state="AL", year=2012).caveats is None


def test_blank_count_of_arrests_is_zero() -> None:
    vagrancy = only_record(juveniles.ARRESTS, offense_code="ASR_VAG", year=1994)
    ages = ("0_9", "10_12", "13_14", "15", "16", "17")
    assert vagrancy.female_0_9 == 0
    assert sum(getattr(vagrancy, f"female_{age}") for age in ages) == vagrancy.female


def test_location_code_keeps_its_leading_zero() -> None:
    assert only_record(berlin.CRIMES, location_code="010111", year=2012).location == "Tiergarten Süd"


def test_offenses_without_a_location_are_marked() -> None:
    records = [record for record in records_of(berlin.CRIMES) if isinstance(record, berlin.LocationYear)]
    assert sum(not record.is_located for record in records) == 12 * 8


HEADER = "Full Complaint ID,Record Create Date,Arrest Id\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "1,,A\n,,B\n", "hate.csv, line 3: 'Full Complaint ID' holds '', not a whole number"),
        (HEADER + "1,,A\n1 000,,B\n", "hate.csv, line 3: 'Full Complaint ID' holds '1 000', not a whole number"),
        (HEADER + "-1,,A\n", "hate.csv, line 2: 'Full Complaint ID' holds '-1', not a whole number"),
        (HEADER + "1,,A\n2,B\n", "hate.csv, line 3: 2 cells under 3 column names"),
        (HEADER + '1,,A\n"2,,B\n', "hate.csv, line 3: not CSV: unexpected end of data"),
        ("Arrest\nA\n", "hate.csv, line 2: there is no column 'Arrest Id'"),
        ("", "hate.csv, line 1: the header is empty or names a column twice"),
        ("Arrest Id,Arrest Id\nA,A\n", "hate.csv, line 1: the header is empty or names a column twice"),
    ],
)
def test_unreadable_line_is_reported_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(UnreadableFileError) as raised:
        list(nypd.arrests(read_lines("hate.csv", text.splitlines(keepends=True))))
    assert str(raised.value) == message


@pytest.mark.parametrize("text", ["2022-03-07", "13/01/2022", "3/7", ""])
def test_date_in_another_format_is_refused(text: str) -> None:
    (line,) = read_lines("hate.csv", [HEADER, f"1,{text},A\n"])
    with pytest.raises(UnreadableFileError, match=r"hate\.csv, line 2: 'Record Create Date' holds"):
        line.american_date("Record Create Date")


def test_missing_date_column_is_named() -> None:
    (line,) = read_lines("hate.csv", [HEADER, "1,03/07/2022,A\n"])
    with pytest.raises(UnreadableFileError, match=r"hate\.csv, line 2: there is no column 'Arrest Date'"):
        line.american_date("Arrest Date")


@pytest.mark.parametrize("text", ["12 %", "NaN", "Infinity", ""])
def test_invalid_rate_is_refused(text: str) -> None:
    (line,) = read_lines("md.csv", ["RATE,OTHER\n", f"{text},\n"])
    with pytest.raises(UnreadableFileError, match=r"md\.csv, line 2: 'RATE' holds"):
        line.decimal("RATE")


def test_two_descriptions_of_one_complaint_are_refused() -> None:
    cells = {
        "Full Complaint ID": "1",
        "Complaint Year Number": "2022",
        "Month Number": "3",
        "Record Create Date": "03/07/2022",
        "Complaint Precinct Code": "60",
        "Patrol Borough Name": "PATROL BORO BKLYN SOUTH",
        "County": "KINGS",
        "Law Code Category Description": "FELONY",
        "Offense Description": "ROBBERY",
        "PD Code Description": "ROBBERY",
        "Bias Motive Description": "ANTI-WHITE",
        "Offense Category": "Race/Color",
    }
    other = cells | {"Bias Motive Description": "ANTI-BLACK"}
    lines = [",".join(row) + "\n" for row in (cells, cells.values(), cells.values(), other.values())]
    with pytest.raises(UnreadableFileError, match=r"hate\.csv, line 4: complaint 1 was described differently before"):
        list(nypd.complaints(read_lines("hate.csv", lines)))


def test_state_without_abbreviation_is_refused() -> None:
    lines = read_lines("us.csv", ["year,state_abbr,state_name\n", "1979,,Alaska\n"])
    with pytest.raises(UnreadableFileError, match=r"us\.csv, line 2"):
        list(us_states.state_years(lines))
