"""Scrapes of the metrics endpoint."""

from collections.abc import Mapping

from django.test import Client
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

PATH, TOKEN = "/api/seeder/metrics", "s3cret-and-16-long"


def scrape(accept: str = "text/plain") -> Mapping[str, Metric]:
    """Return the metric families by name, parsed by prometheus_client."""
    answer = Client().get(PATH, headers={"Authorization": f"Bearer {TOKEN}", "Accept": accept})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    parse = read_openmetrics if answer["Content-Type"].startswith("application/openmetrics-text") else read_text
    assert answer["Content-Type"].split(";")[0] == accept.split(";", maxsplit=1)[0]
    families = list(parse(answer.content.decode()))
    assert len({family.name for family in families}) == len(families)
    return {family.name: family for family in families}


def value(families: Mapping[str, Metric], name: str) -> float:
    [sample] = families[name].samples
    return sample.value
