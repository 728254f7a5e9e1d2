from seeder.domain.manifests import ReportType
from seeder.domain.queue.queued_requests import (
    ManifestKey,
    QueuedPart,
    QueuedPartState,
    attempts_without_progress,
    find_covering_parts,
)


def manifests(*numbers: int) -> frozenset[ManifestKey]:
    return frozenset((ReportType.CUSTOM, number) for number in numbers)


def part(number: int, *wanted: int) -> QueuedPart:
    return QueuedPart(
        id=number,
        number=number,
        state=QueuedPartState.QUEUED,
        manifests=manifests(*wanted),
        views=(),
        agencies=("demo",),
    )


A, B, C = part(1, 1, 2), part(2, 3), part(3, 1, 2, 3)


def test_a_request_covers_what_its_parts_have_together() -> None:
    assert find_covering_parts([(A, B)], manifests(1, 3)) == (A, B)
    assert find_covering_parts([(A, B)], manifests(3)) == (B,), "the other part has nothing to do with it"


def test_two_requests_do_not_cover_anything_together() -> None:
    assert find_covering_parts([(A,), (B,)], manifests(1, 3)) == ()


def test_the_first_request_that_covers_it_is_taken() -> None:
    assert find_covering_parts([(A,), (C,), (A, B)], manifests(1, 3)) == (C,)


def test_nothing_is_covered_by_nobody() -> None:
    assert find_covering_parts([(A, B)], manifests()) == ()
    assert find_covering_parts([], manifests(1)) == ()


def test_only_the_latest_attempts_in_a_row_are_fruitless() -> None:
    assert attempts_without_progress(["a", "b", "c"], set()) == 3
    assert attempts_without_progress(["a", "b", "c"], {"b"}) == 1
    assert attempts_without_progress(["a", "b", "c"], {"c"}) == 0
    assert attempts_without_progress([], {"c"}) == 0
