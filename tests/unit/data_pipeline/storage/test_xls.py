import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.artefact_errors import (
    ArtefactError,
    EncryptedArtefact,
    SheetNotChosen,
    UnsupportedFormat,
    WorkbookRefused,
    WorkbookTooLarge,
)
from data_pipeline.storage.file_addresses import resolve
from data_pipeline.storage.opening import open_artefact
from seeder.errors import ExtraMissing
from tests.unit.data_pipeline.storage.made_xls import Value, made_ole, made_xls, record, workbook_stream
from tests.unit.data_pipeline.storage.opened import csv_of, opened, read_all

ROWS: list[list[Value]] = [
    [],
    [None, "id", "näme", "day"],
    [None, 1, 'a"b', "date 45000"],
    [],
    [None, 2.5, True, "date 45000.5"],
]
CSV = 'id,näme,day\n1,"a""b",2023-03-15\n2.5,true,2023-03-15 12:00:00\n'.encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orders.xls"


def test_old_workbook_is_read_as_csv(file: Path) -> None:
    with opened(made_xls(file, ("One", 0, ROWS))) as artefact:
        assert (artefact.format, artefact.compression) == ("xls", None)
        assert read_all(artefact) == CSV
        assert [artefact.line_of(line) for line in (1, 2, 3)] == [2, 3, 5]
        assert artefact.position == artefact.size
        assert len(artefact.file_sha256) == 64


def test_errors_in_cells_are_texts(file: Path) -> None:
    made_xls(file, ("One", 0, [["a", "b", "c"], ["#N/A", None, "=#DIV/0!"], ["=#N/A"]]), ("Two", 1, [["#N/A"]]))
    assert csv_of(file) == b"a,b,c\n#N/A,,#DIV/0!\n#N/A,,\n"
    assert csv_of(file, sheet="Two") == b"#N/A\n"


def test_sheets_are_chosen_as_in_other_workbooks(file: Path) -> None:
    made_xls(file, ("One", 0, ROWS), ("Two", 0, [["x"]]), ("Hidden", 1, [["h"]]), ("Very", 2, [["v"]]))
    with pytest.raises(SheetNotChosen, match="'One', 'Two'"):
        csv_of(file)
    assert [csv_of(file, sheet=name) for name in ("Two", "Hidden", "Very")] == [b"x\n", b"h\n", b"v\n"]
    assert csv_of(made_xls(file, ("One", 0, ROWS), ("Empty", 0, []), ("Hidden", 1, [["h"]]))) == CSV


def test_large_old_workbook_is_refused(file: Path) -> None:
    made_xls(file, ("One", 0, ROWS))
    address = resolve(str(file), roots=[])
    size = file.stat().st_size
    open_artefact(address, max_unpacked_bytes=1, xlsx_in_memory_bytes=size).__exit__(None, None, None)
    with pytest.raises(WorkbookTooLarge, match="an XLS workbook larger than [0-9]+ kB"):
        open_artefact(address, max_unpacked_bytes=1, xlsx_in_memory_bytes=size - 1)


def test_sheet_of_distant_cells_is_refused(file: Path) -> None:
    far: list[list[Value]] = [[1], *[[] for _ in range(65_534)], [*[None] * 255, 1]]
    with pytest.raises(WorkbookRefused, match="too far apart"):
        csv_of(made_xls(file, ("One", 0, far)))


def test_encrypted_workbooks_are_named(file: Path) -> None:
    with pytest.raises(EncryptedArtefact, match="password"):
        opened(made_ole(file, {"EncryptionInfo": b"x", "EncryptedPackage": b"y"}))
    stream = workbook_stream([("One", 0, ROWS)])
    protected = stream[:20] + record(0x2F, bytes(6)) + stream[20:]  # after the first record
    with pytest.raises(EncryptedArtefact):
        opened(made_ole(file, {"Workbook": protected}))


def test_other_compound_file_is_named(file: Path) -> None:
    with pytest.raises(UnsupportedFormat, match="old Office document"):
        opened(made_ole(file, {"WordDocument": b"x"}))


def test_missing_extra_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'reporting-seeder\[xlsx\]'"):
        opened(made_xls(file, ("One", 0, ROWS)))


def test_panic_of_calamine_is_damage(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import python_calamine

    class PanicException(BaseException):
        """As PyO3 raises it."""

    class Workbook:
        @staticmethod
        def from_filelike(_file: object) -> None:
            raise PanicException("index out of bounds")

    monkeypatch.setattr(python_calamine, "CalamineWorkbook", Workbook)
    with pytest.raises(ArtefactError, match="index out of bounds"):
        opened(made_xls(file, ("One", 0, ROWS)))


@given(st.data())
def test_damaged_old_workbook_raises_an_artefact_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("damaged") / "book.xls"
    made_xls(file, ("One", 0, ROWS))
    content = bytearray(file.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(8, len(content) - 1))]
    else:
        content[data.draw(st.integers(8, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    with suppress(ArtefactError):
        csv_of(file)
