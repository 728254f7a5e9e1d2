"""Descriptions of requests, as rows have them."""

import pytest

from seeder.domain import refresh_requests
from seeder.domain.manifests import ReportType
from seeder.domain.refresh_requests import AgencyReports, AllReports, RefreshRequest, SingleView, description_text
from seeder.domain.view_names import ViewName
from seeder.texts import Text


@pytest.mark.parametrize(
    "request_",
    [
        AllReports(),
        AllReports(report_type=ReportType.CANNED),
        AgencyReports(slug="demo"),
        SingleView(name=ViewName.parse("reporting.a")),
        SingleView(name=ViewName.parse("reporting.a"), max_changed_rows=5),
    ],
    ids=str,
)
def test_stored_description_is_the_same_text(request_: RefreshRequest) -> None:
    text = description_text("".join([*request_.description]))
    assert isinstance(text, Text)
    assert isinstance(request_.description, Text)
    assert (text, text.template) == (request_.description, request_.description.template)


def test_other_stored_description_stays_as_it_is() -> None:
    assert description_text("the agency 'a' and the agency 'b'") == "the agency 'a' and the agency 'b'"
    assert not isinstance(description_text("{odd}"), Text)


@pytest.mark.parametrize("text", refresh_requests._DESCRIPTIONS, ids=lambda text: text.template)
def test_each_template_is_found_again_in_its_sentence(text: Text) -> None:
    arguments = {
        "report_type": "custom",
        "slug": "demo",
        "view": "reporting.a",
        "number": "5",
        "relations": "a, b",
        "run_id": "r",
    }
    written = text.with_arguments(**arguments)
    read = description_text("".join([*written]))
    assert isinstance(read, Text)
    assert (read, read.template) == (written, text.template)
