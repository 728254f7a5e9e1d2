"""The values of a real column, as PostgreSQL prints them."""

from tests.cases.conftest import Deployment


def test_values_of_real_are_not_printed_as_double_precision(deployment: Deployment) -> None:
    deployment.execute("CREATE TABLE public.t (r real); INSERT INTO public.t VALUES (0.1), (3.3), (-2.7), (1e-5)")
    deployment.add_manifest("reporting.a", "SELECT r FROM public.t")
    assert deployment.manage("refresh_all").exit_code == 0
    capture = ("capture_release_snapshot", "--table-name", "reporting.a", "--release-tag", "1")
    [column] = deployment.manage(*capture, "--top-values-columns", "r", "--json").document["columns"]
    assert (column["minimum"], column["maximum"]) == ("-2.7", "3.3")
    assert {top["value"] for top in column["top"]} == {"0.1", "3.3", "-2.7", "1e-05"}
