from seeder.domain.manifests import ReportType, group_by_view
from tests.unit.domain.plan_values import manifest, view_key


def test_manifests_of_one_view_become_one_spec_led_by_the_first() -> None:
    canned = manifest("shared", 1, kind=ReportType.CANNED)
    second, first = manifest("shared", 9), manifest("shared", 2, query="two")
    [spec] = group_by_view([(view_key("shared"), canned), (view_key("shared"), second), (view_key("shared"), first)])
    assert spec.manifests == (first, second, canned)
    assert spec.query == "two"


def test_same_view_name_in_two_databases_is_two_views() -> None:
    rows = [(view_key("a", "default"), manifest("a", 1)), (view_key("a", "archive"), manifest("a", 2))]
    assert [spec.key.database for spec in group_by_view(rows)] == ["default", "archive"]
