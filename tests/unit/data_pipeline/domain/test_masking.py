import csv
import hmac
from dataclasses import replace
from hashlib import sha256
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.dialects import Pii
from data_pipeline.domain.masking import RejectMasking, hash_pads, mask_value
from data_pipeline.domain.rejects import Problem, Reject
from data_pipeline.errors import PiiKeyMissing

KEY = b"secret"
HASH = hmac.digest(KEY, b"Anna", "sha256").hex()


def masking(**pii: Pii) -> RejectMasking:
    return RejectMasking(columns=("id", "name", None, "mail"), pii=pii, hash_key=KEY)


def reject(raw: bytes, *problems: Problem) -> Reject:
    return Reject(line_no=2, record_no=1, raw=raw, problems=problems)


@pytest.mark.parametrize(
    ("text", "pii", "expected"),
    [
        ("Anna", Pii.DROP, None),
        ("anna.ż@example.com 0151", Pii.MASK, "xxxx.x@xxxxxxx.xxx 9999"),
        ("\u0663\U0001f600", Pii.MASK, "xx"),
        ("", Pii.MASK, ""),
        ("Anna", Pii.HASH, HASH),
    ],
)
def test_personal_value_is_dropped_masked_or_hashed(text: str, pii: Pii, expected: str | None) -> None:
    assert mask_value(text, pii, hash_key=KEY) == expected


def test_hash_depends_on_the_key() -> None:
    assert mask_value("Anna", Pii.HASH, hash_key=b"other") != HASH


def test_hash_without_a_key_is_refused() -> None:
    with pytest.raises(PiiKeyMissing):
        mask_value("Anna", Pii.HASH, hash_key=b"")
    with pytest.raises(PiiKeyMissing):
        hash_pads(b"")


@given(st.binary(min_size=1, max_size=130), st.binary(max_size=50))
def test_pads_compute_the_same_hash(key: bytes, text: bytes) -> None:
    inner, outer = hash_pads(key)
    assert sha256(outer + sha256(inner + text).digest()).digest() == hmac.digest(key, text, "sha256")


@pytest.mark.parametrize(
    ("raw", "pii", "expected"),
    [
        (b"1,Anna,x,a@b.de", {"name": Pii.MASK}, b"1,xxxx,x,a@b.de"),
        (b"1,Anna,x,a@b.de", {"name": Pii.DROP, "mail": Pii.DROP}, b"1,,x,"),
        (b"1,Anna,x,a@b.de", {"name": Pii.HASH}, f"1,{HASH},x,a@b.de".encode()),
        (b'1,"An""na, B\n",x,', {"name": Pii.MASK}, b'1,"xx""xx, x\n",x,'),
        (b'1,"Anna",x,', {"name": Pii.HASH}, f'1,"{HASH}",x,'.encode()),
        (b"1,M\xfcller,x,", {"name": Pii.MASK}, b"1,xxxxxx,x,"),
        (b",,,", {"name": Pii.MASK}, b",,,"),
        (b"1,Anna,x,a@b.de", {}, b"1,Anna,x,a@b.de"),
    ],
)
def test_fields_of_personal_columns_are_masked(raw: bytes, pii: dict[str, Pii], expected: bytes) -> None:
    assert masking(**pii).masked(reject(raw)).raw == expected


@pytest.mark.parametrize("raw", [b"1,Anna 5", b"1,Anna,x,y,z", b'1,"Anna,x,y', b'1,An"na",x,y', b"1,Anna\n,x,y"])
def test_malformed_record_is_masked_as_a_whole(raw: bytes) -> None:
    masked = masking(name=Pii.MASK).masked(reject(raw)).raw
    assert b"nna" not in masked
    assert masked == raw.translate(bytes.maketrans(b"1Annaxyz5", b"9xxxxxxx9"))
    assert masking(name=Pii.DROP).masked(reject(raw)).raw == b""


def test_value_and_reason_of_a_personal_column_are_masked() -> None:
    problem = Problem(column="name", sqlstate="22P02", reason='invalid input syntax for type date: "Jo"', value="Jo")
    [masked] = masking(name=Pii.MASK).masked(reject(b"1,Jo,x,", problem)).problems
    assert masked == replace(problem, reason="invalid input syntax for type date: (removed)", value="xx")


def test_reason_of_another_column_has_no_personal_value() -> None:
    problem = Problem(column="id", sqlstate="23514", reason="Failing row contains (1, Anna, x, null).", value="1")
    [masked] = masking(name=Pii.HASH).masked(reject(b'1,"Anna",x,', problem)).problems
    assert masked == replace(problem, reason="Failing row contains (1, (removed), x, null).")


def test_rejects_without_personal_columns_are_unchanged() -> None:
    one = reject(b"1,Anna,x,", Problem(column="name", sqlstate="22P02", reason='"Anna"', value="Anna"))
    assert masking().masked(one) is one


@given(
    st.lists(st.text(st.sampled_from("abAB\"' ,\n0é"), max_size=6), min_size=4, max_size=4),
    st.booleans(),
)
def test_other_fields_of_any_record_are_kept(fields: list[str], quote_all: bool) -> None:  # noqa: FBT001
    line = StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL, lineterminator="\n").writerow(fields)
    masked = masking(name=Pii.MASK).masked(reject(line.getvalue().encode()[:-1])).raw
    [read] = csv.reader(StringIO(masked.decode(), newline=""))
    assert read == [fields[0], mask_value(fields[1], Pii.MASK, hash_key=KEY), *fields[2:]]


def test_key_is_not_shown() -> None:
    assert "secret" not in repr(masking(name=Pii.HASH))
