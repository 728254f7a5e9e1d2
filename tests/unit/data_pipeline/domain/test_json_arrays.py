"""JSON arrays that come in pieces."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.json_arrays import ArrayLines

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def split(array: bytes, piece: int) -> list[bytes]:
    """Return the lines of an array that comes in pieces of this size."""
    lines = ArrayLines()
    joined = b"".join(lines.feed(array[at : at + piece]) for at in range(0, len(array), piece))
    lines.close()
    assert joined.count(b"\n") == lines.count
    return joined.split(b"\n")[:-1]


@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 2]), st.booleans(), st.integers(1, 40))
def test_elements_are_the_same_in_pieces_of_any_size(
    array: list[Any],
    indent: int | None,
    ensure_ascii: bool,  # noqa: FBT001  # of hypothesis
    piece: int,
) -> None:
    text = json.dumps(array, indent=indent, ensure_ascii=ensure_ascii).encode("utf-8", "surrogatepass")
    assert [
        json.loads(line.decode("utf-8", "surrogatepass")) for line in split(b" \n" + text + b"\r\n", piece)
    ] == array


@pytest.mark.parametrize("piece", [1, 3, 100])
def test_numbers_and_invalid_elements_stay_as_they_are(piece: int) -> None:
    lines = split(b'\xef\xbb\xbf[1.10, {"a": 1,}, "x\ny", {"a":[{}\n,2]}]', piece)
    assert lines == [b"1.10", b'{"a": 1,}', b'"x\ry"', b'{"a":[{}\r,2]}']


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"{}", "it is not an array"),
        (b"", "it is not an array"),
        (b"[1", "the array has no end"),
        (b'["a]', "the array has no end"),
        (b"[{]", "the array has no end"),
        (b"[1,,2]", "element 2 is empty"),
        (b"[1,]", "element 2 is empty"),
        (b"[1] 2", "something follows the array"),
        (b"[1]]", "something follows the array"),
    ],
)
def test_malformed_array_is_refused_in_pieces_of_any_size(text: bytes, problem: str) -> None:
    for piece in (1, 100):
        with pytest.raises(ValueError, match=problem):
            split(text, piece)


def test_too_long_element_is_refused_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_pipeline.domain.json_arrays.MAX_RECORD_BYTES", 10)
    with pytest.raises(ValueError, match="element 2 is longer than"):
        ArrayLines().feed(b'[1, "0123456789')
