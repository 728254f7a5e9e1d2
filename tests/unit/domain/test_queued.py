from seeder.domain.manifests import ReportType
from seeder.domain.queued import ManifestKey, QueuedPart, State, covering, fruitless


def manifests(*numbers: int) -> frozenset[ManifestKey]:
    return frozenset((ReportType.CUSTOM, number) for number in numbers)


def part(number: int, *wanted: int) -> QueuedPart:
    return QueuedPart(
        id=number, number=number, state=State.QUEUED, manifests=manifests(*wanted), views=(), agencies=("demo",)
    )


A, B, C = part(1, 1, 2), part(2, 3), part(3, 1, 2, 3)


def test_a_request_covers_what_its_parts_have_together() -> None:
    assert covering([(A, B)], manifests(1, 3)) == (A, B)
    assert covering([(A, B)], manifests(3)) == (B,), "the other part has nothing to do with it"


def test_two_requests_do_not_cover_anything_together() -> None:
    assert covering([(A,), (B,)], manifests(1, 3)) == ()


def test_the_first_request_that_covers_it_is_taken() -> None:
    assert covering([(A,), (C,), (A, B)], manifests(1, 3)) == (C,)


def test_nothing_is_covered_by_nobody() -> None:
    assert covering([(A, B)], manifests()) == ()
    assert covering([], manifests(1)) == ()


def test_only_the_latest_attempts_in_a_row_are_fruitless() -> None:
    assert fruitless(["a", "b", "c"], set()) == 3
    assert fruitless(["a", "b", "c"], {"b"}) == 1
    assert fruitless(["a", "b", "c"], {"c"}) == 0
    assert fruitless([], {"c"}) == 0
