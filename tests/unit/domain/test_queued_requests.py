from seeder.domain.manifests import ManifestKey, ReportType
from seeder.domain.queue.queued_requests import attempts_without_progress, find_covering_parts


def manifests(*numbers: int) -> frozenset[ManifestKey]:
    return frozenset((ReportType.CUSTOM, number) for number in numbers)


A, B, C = {"A": manifests(1, 2)}, {"B": manifests(3)}, {"C": manifests(1, 2, 3)}


def test_request_covers_the_manifests_of_all_its_parts() -> None:
    assert find_covering_parts([A | B], manifests(1, 3)) == ("A", "B")
    assert find_covering_parts([A | B], manifests(3)) == ("B",), "the other part is not needed"


def test_two_requests_do_not_cover_manifests_together() -> None:
    assert find_covering_parts([A, B], manifests(1, 3)) == ()


def test_first_covering_request_is_chosen() -> None:
    assert find_covering_parts([A, C, A | B], manifests(1, 3)) == ("C",)


def test_empty_set_is_not_covered() -> None:
    assert find_covering_parts([A | B], manifests()) == ()
    assert find_covering_parts([], manifests(1)) == ()


def test_only_latest_attempts_in_a_row_count_as_without_progress() -> None:
    assert attempts_without_progress(["a", "b", "c"], set()) == 3
    assert attempts_without_progress(["a", "b", "c"], {"b"}) == 1
    assert attempts_without_progress(["a", "b", "c"], {"c"}) == 0
    assert attempts_without_progress([], {"c"}) == 0
