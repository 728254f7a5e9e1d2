"""The values that identify a snapshot."""

import pytest

from seeder.domain.snapshots.snapshot_contents import Release, ViewColumn
from seeder.errors import BadTag
from tests.unit.domain.snapshot_values import columns, snapshot


@pytest.mark.parametrize("tag", ["v1", "2026.11 (second)", "Überfall", "x" * 200, "{0}", "'; DROP TABLE x"])
def test_printable_text_is_a_valid_tag(tag: str) -> None:
    assert Release(tag=tag).tag == tag


@pytest.mark.parametrize(
    "tag", ["", " ", " v1", "v1\n", "v\t1", "x" * 201, "v\0", "\ud800", "v1\u2028x", "\x7f", "v\x85x", "v\x9bx"]
)
def test_tag_that_cannot_be_typed_is_rejected(tag: str) -> None:
    with pytest.raises(BadTag, match="printable"):
        Release(tag=tag)
    with pytest.raises(BadTag, match="version"):
        Release(tag="v1", version=tag)


def schema_hash(shape: tuple[ViewColumn, ...]) -> str:
    return snapshot(shape).schema_hash


def test_schema_hash_depends_on_names_types_order_and_nullability() -> None:
    same = schema_hash(columns("a", b="text"))
    others = [
        columns("b", a="text"),
        columns("a", b="varchar"),
        columns("a", c="text"),
        columns("a", b="text NOT NULL"),
    ]
    others += [columns("a"), columns(), columns(b="text", a="integer")]
    assert len({same, *map(schema_hash, others)}) == 1 + len(others)
    assert same == schema_hash(columns("a", b="text"))
    assert schema_hash(()) == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
