import gzip
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.artefact_errors import DamagedArtefact, SuspiciousCompression, UnpacksTooLarge, UnsupportedFormat
from tests.unit.data_pipeline.storage.opened import MB, csv_of, memory_limit, opened, read_all

ROWS = "".join(f"{number * 7919 % 104729},{number}\n" for number in range(60_000)).encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


@pytest.mark.parametrize("size", [1000, 1 << 18, 10 * MB])
def test_gzip_is_unpacked(file: Path, size: int) -> None:
    file.write_bytes(gzip.compress(ROWS))
    with opened(file) as artefact:
        assert (artefact.format, artefact.compression) == ("csv", "gzip")
        assert read_all(artefact, size) == ROWS


def test_members_of_gzip_follow_each_other(file: Path) -> None:
    file.write_bytes(b"".join(gzip.compress(part) for part in (b"", b"a,b\n", ROWS, b"", b"1,2\n")))
    assert csv_of(file) == b"a,b\n" + ROWS + b"1,2\n"


def test_zeros_after_gzip_are_padding(file: Path) -> None:
    file.write_bytes(gzip.compress(b"a\n") + b"\0" * (1 << 19) + gzip.compress(b"1\n") + b"\0" * 7)
    assert csv_of(file) == b"a\n1\n"


def test_repeated_row_fills_pieces_exactly(file: Path) -> None:
    content = b"0" * (1 << 20)
    file.write_bytes(gzip.compress(content))
    assert csv_of(file) == content


def test_truncated_gzip_is_damaged_at_its_end(file: Path) -> None:
    packed = gzip.compress(ROWS)
    for length in (2, 15, 1000, len(packed) - 9, len(packed) - 1):
        file.write_bytes(packed[:length])
        with pytest.raises(DamagedArtefact, match=f"ends early, at byte {length:,}"):
            csv_of(file)


def test_flipped_byte_of_gzip_is_damaged_with_the_place(file: Path) -> None:
    packed = bytearray(gzip.compress(ROWS))
    packed[-8] ^= 1
    file.write_bytes(packed)
    with pytest.raises(DamagedArtefact, match=r"invalid after byte [0-9,]+ \(incorrect data check\)"):
        csv_of(file)


def test_other_data_after_gzip_is_damaged_with_the_place(file: Path) -> None:
    packed = gzip.compress(b"a\n")
    file.write_bytes(packed + b"trailing")
    with pytest.raises(DamagedArtefact, match=f"from byte {len(packed) + 1} on"):
        csv_of(file)


@given(st.data())
def test_damaged_gzip_never_gives_wrong_bytes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    packed = bytearray(gzip.compress(ROWS[:3000]))
    place = data.draw(st.integers(10, len(packed) - 1))  # the header's flags and time are not part of the content
    packed[place] ^= data.draw(st.integers(1, 255))
    file = tmp_path_factory.mktemp("damaged") / "rows.gz"
    file.write_bytes(packed)
    with suppress(DamagedArtefact):
        assert csv_of(file) == ROWS[:3000]


def test_gzip_above_the_limit_is_refused(file: Path) -> None:
    file.write_bytes(gzip.compress(ROWS))
    assert csv_of(file, max_unpacked_bytes=len(ROWS)) == ROWS
    with pytest.raises(UnpacksTooLarge, match="MAX_UNPACKED_MB"):
        csv_of(file, max_unpacked_bytes=len(ROWS) - 1)


@pytest.mark.slow
def test_bomb_is_refused_after_16_mb(file: Path) -> None:
    packer = zlib.compressobj(9, wbits=31)
    file.write_bytes(b"".join(packer.compress(bytes(MB)) for _ in range(200)) + packer.flush())
    with opened(file, max_unpacked_bytes=1 << 40) as artefact:
        assert len(artefact.read(16 * MB)) == 16 * MB
        with memory_limit(4 * MB), pytest.raises(SuspiciousCompression, match="200 times"):
            read_all(artefact)


def test_repetitive_small_file_is_no_bomb(file: Path) -> None:
    file.write_bytes(gzip.compress(bytes(16 * MB)))
    assert len(csv_of(file)) == 16 * MB


@pytest.mark.parametrize(
    "inner", [gzip.compress(b"a\n", mtime=0), b"PK\x03\x04....", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-"]
)
def test_container_inside_gzip_is_refused(file: Path, inner: bytes) -> None:
    file.write_bytes(gzip.compress(inner))
    with pytest.raises(UnsupportedFormat):
        opened(file)
