"""The samples of a scrape of the loading lane."""

from collections.abc import Mapping

from data_pipeline.probes.prometheus_collector import collect_metrics
from tests.conftest import sql


def samples() -> Mapping[tuple[str, ...], float]:
    """Return the samples of a scrape by name and the values of their labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in collect_metrics()
        for sample in family.samples
    }


def end_of_hour() -> None:
    """Make all events old enough for the totals."""
    sql("SET session_replication_role = replica; UPDATE load_event SET at = at - interval '2 hours'")
    sql("RESET session_replication_role")
