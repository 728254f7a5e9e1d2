import gzip
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.artefact_errors import DamagedArtefact, SuspiciousCompression, UnpacksTooLarge, UnsupportedFormat
from data_pipeline.storage.packing import packed
from data_pipeline.storage.zstd import zstd
from seeder.errors import ExtraMissing
from tests.unit.data_pipeline.storage.opened import MB, csv_of, memory_limit, opened, read_all

ROWS = "".join(f"{number * 7919 % 104729},{number}\n" for number in range(60_000)).encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


FLIPPED = {"gzip": "incorrect data check", "zstd": "Restored data doesn't match checksum"}


@pytest.fixture(scope="module", params=["gzip", "zstd"])
def compression(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def compress(compression: str, content: bytes) -> bytes:
    """Compress as the command-line tools do, with a checksum."""
    return b"".join(packed([content], compression))


@pytest.mark.parametrize("size", [1000, 1 << 18, 10 * MB])
def test_compressed_file_is_unpacked(file: Path, compression: str, size: int) -> None:
    file.write_bytes(compress(compression, ROWS))
    with opened(file) as artefact:
        assert (artefact.format, artefact.compression) == ("csv", compression)
        assert read_all(artefact, size) == ROWS


def test_members_follow_each_other(file: Path, compression: str) -> None:
    parts = (b"", b"a,b\n", ROWS, b"", b"1,2\n")
    file.write_bytes(b"".join(compress(compression, part) for part in parts))
    assert csv_of(file) == b"a,b\n" + ROWS + b"1,2\n"


def test_skippable_frames_of_zstd_have_no_content(file: Path) -> None:
    skippable = b"\x5e\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"a,b\n5"
    file.write_bytes(zstd.compress(b"a\n") + skippable + zstd.compress(b"1\n") + skippable)
    assert csv_of(file) == b"a\n1\n"


def test_zeros_behind_are_padding(file: Path, compression: str) -> None:
    first, second = compress(compression, b"a\n"), compress(compression, b"1\n")
    file.write_bytes(first + b"\0" * (1 << 19) + second + b"\0" * 7)
    assert csv_of(file) == b"a\n1\n"


def test_repeated_row_fills_pieces_exactly(file: Path, compression: str) -> None:
    content = b"0" * (1 << 20)
    file.write_bytes(compress(compression, content))
    assert csv_of(file) == content


def test_truncated_file_is_damaged_at_its_end(file: Path, compression: str) -> None:
    whole = compress(compression, ROWS)
    for length in (4, 15, 1000, len(whole) - 9, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(DamagedArtefact, match=f"its {compression} data ends early, at byte {length:,}"):
            csv_of(file)


def test_flipped_byte_is_damaged_with_the_place(file: Path, compression: str) -> None:
    whole = bytearray(compress(compression, ROWS))
    whole[-8 if compression == "gzip" else -1] ^= 1
    file.write_bytes(whole)
    with pytest.raises(DamagedArtefact, match=rf"invalid after byte [0-9,]+ \({FLIPPED[compression]}\)"):
        csv_of(file)


def test_other_data_behind_is_damaged_with_the_place(file: Path, compression: str) -> None:
    whole = compress(compression, b"a\n")
    file.write_bytes(whole + b"trailing")
    with pytest.raises(DamagedArtefact, match=f"other data follows its {compression} data, from byte {len(whole) + 1}"):
        csv_of(file)


@given(st.data())
def test_damaged_file_never_gives_wrong_bytes(
    tmp_path_factory: pytest.TempPathFactory, compression: str, data: st.DataObject
) -> None:
    whole = bytearray(compress(compression, ROWS[:3000]))
    place = data.draw(st.integers(10, len(whole) - 1))  # the header's flags and time are not part of the content
    whole[place] ^= data.draw(st.integers(1, 255))
    file = tmp_path_factory.mktemp("damaged") / "rows"
    file.write_bytes(whole)
    with suppress(DamagedArtefact):
        assert csv_of(file) == ROWS[:3000]


def test_file_above_the_limit_is_refused(file: Path, compression: str) -> None:
    file.write_bytes(compress(compression, ROWS))
    assert csv_of(file, max_unpacked_bytes=len(ROWS)) == ROWS
    with pytest.raises(UnpacksTooLarge, match="MAX_UNPACKED_MB"):
        csv_of(file, max_unpacked_bytes=len(ROWS) - 1)


@pytest.mark.slow
def test_bomb_is_refused_after_16_mb(file: Path, compression: str) -> None:
    file.write_bytes(b"".join(packed((bytes(MB) for _ in range(200)), compression)))
    with opened(file, max_unpacked_bytes=1 << 40) as artefact:
        assert len(artefact.read(16 * MB)) == 16 * MB
        with memory_limit(4 * MB), pytest.raises(SuspiciousCompression, match="200 times"):
            read_all(artefact)


def test_window_of_more_than_128_mb_is_refused(file: Path) -> None:
    parameter = zstd.CompressionParameter
    packer = zstd.ZstdCompressor(options={parameter.window_log: 28, parameter.enable_long_distance_matching: 1})
    file.write_bytes(packer.compress(b"a\n1\n") + packer.flush())
    with pytest.raises(DamagedArtefact, match="requires too much memory"):
        csv_of(file)


def test_repetitive_small_file_is_no_bomb(file: Path, compression: str) -> None:
    file.write_bytes(compress(compression, bytes(16 * MB)))
    assert len(csv_of(file)) == 16 * MB


@pytest.mark.parametrize(
    "inner",
    [
        gzip.compress(b"a\n", mtime=0),
        zstd.compress(b"a\n"),
        b"PK\x03\x04....",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"%PDF-",
    ],
)
def test_container_inside_is_refused(file: Path, compression: str, inner: bytes) -> None:
    file.write_bytes(compress(compression, inner))
    with pytest.raises(UnsupportedFormat):
        opened(file)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the standard library has zstd")
def test_zstd_without_its_extra_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_bytes(zstd.compress(b"a\n"))
    monkeypatch.delitem(sys.modules, "data_pipeline.storage.zstd")
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    monkeypatch.delattr("backports.zstd")
    with pytest.raises(ExtraMissing, match=r"needs backports.zstd: pip install 'reporting-seeder\[zstd\]'"):
        opened(file)
