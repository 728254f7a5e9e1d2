"""The difference of two printed queries."""

from seeder.domain.query_difference import DifferenceLine, LineKind, compare_queries


def test_equal_lines_far_from_a_change_are_counted() -> None:
    old = [f"column {number}," for number in range(20)]
    new = [*old[:10], "another", *old[11:]]
    lines = compare_queries("\n".join(old), "\n".join(new))
    assert lines is not None
    kinds = [line.kind for line in lines]
    both = [LineKind.BOTH] * 3
    assert kinds == [LineKind.OMITTED, *both, LineKind.OLD, LineKind.NEW, *both, LineKind.OMITTED]
    assert [line.omitted for line in lines if line.kind is LineKind.OMITTED] == [7, 6]
    assert lines[4:6] == [
        DifferenceLine(kind=LineKind.OLD, text="column 10,"),
        DifferenceLine(kind=LineKind.NEW, text="another"),
    ]


def test_too_many_lines_are_not_compared() -> None:
    assert compare_queries("x\n" * 2_000, "x\n" * 1_999 + "y") is not None
    assert compare_queries("x\n" * 2_001, "y") is None
