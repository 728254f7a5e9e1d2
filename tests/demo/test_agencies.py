"""The agencies, reports and subscriptions of the demo fit together, and every report file keeps the rules."""

import re
from collections import Counter
from pathlib import Path

import pytest

from demo.agencies import DEMO_FOLDER, Catalogue, query_of, read_catalogue

REPORTS = sorted(path.stem for path in (DEMO_FOLDER / "reports").glob("*.sql"))
every_report = pytest.mark.parametrize("file", REPORTS)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue()


def code_of(file: str) -> str:
    """The query without its comments and string literals."""
    return re.sub(r"--[^\n]*|'(?:[^']|'')*'", "", query_of(file))


def test_every_report_file_is_named_by_an_agency_and_every_name_has_its_file(catalogue: Catalogue) -> None:
    assert catalogue.files == set(REPORTS)


def test_no_two_reports_share_a_file(catalogue: Catalogue) -> None:
    assert len(catalogue.files) == len(catalogue.custom) + len(catalogue.canned)


def test_ids_and_slugs_of_agencies_are_unique(catalogue: Catalogue) -> None:
    assert len({agency.id for agency in catalogue.agencies}) == len(catalogue.agencies)
    assert len({agency.slug for agency in catalogue.agencies}) == len(catalogue.agencies)
    assert all(re.fullmatch("[a-z]+", agency.slug) for agency in catalogue.agencies)


def test_ids_of_one_kind_are_unique_and_keep_clear_of_real_manifests(catalogue: Catalogue) -> None:
    for rows in (catalogue.custom, catalogue.canned, catalogue.subscriptions):
        ids = [row.id for row in rows]
        assert len(set(ids)) == len(ids)
        assert min(ids) > 90_000


def test_custom_and_subscription_ids_collide_as_they_may_in_production(catalogue: Catalogue) -> None:
    assert {report.id for report in catalogue.custom} & {subscription.id for subscription in catalogue.subscriptions}


def test_no_two_reports_share_a_view(catalogue: Catalogue) -> None:
    names = [report.table_name for report in catalogue.custom] + [report.table_name for report in catalogue.canned]
    assert len({name.lower().removeprefix("reporting.") for name in names}) == len(names)
    assert not [name for name in names if "seeder_" in name]


def test_nobody_subscribes_twice_to_one_report(catalogue: Catalogue) -> None:
    pairs = Counter((each.agency.slug, each.canned_report.id) for each in catalogue.subscriptions)
    assert set(pairs.values()) == {1}


def test_one_canned_report_has_three_subscribers(catalogue: Catalogue) -> None:
    subscribers = Counter(subscription.canned_report.file for subscription in catalogue.subscriptions)
    assert subscribers.most_common(1) == [("us_crime_rate_trend", 3)]
    assert {report.file for report in catalogue.canned} == set(subscribers)


def test_the_demo_agency_has_ten_reports_of_both_kinds(catalogue: Catalogue) -> None:
    custom = [report for report in catalogue.custom if report.agency.slug == "demo" and report.enabled]
    subscriptions = [subscription for subscription in catalogue.subscriptions if subscription.agency.slug == "demo"]
    assert (len(custom), len(subscriptions)) == (7, 3)


def test_one_agency_has_nothing_enabled(catalogue: Catalogue) -> None:
    busy = {report.agency.slug for report in catalogue.custom if report.enabled}
    busy |= {subscription.agency.slug for subscription in catalogue.subscriptions}
    assert {agency.slug for agency in catalogue.agencies} - busy == {"gotham"}


@every_report
def test_a_report_says_what_it_is_for_and_what_one_row_is(file: str) -> None:
    query = query_of(file)
    assert query.startswith("-- ")
    assert re.search(r"^-- .*One row per \([a-z_, ]+\)", query, re.MULTILINE)


@every_report
def test_a_report_is_one_query_that_gives_the_same_answer_every_day(file: str) -> None:
    code = code_of(file).lower()
    assert ";" not in code
    for word in (r"now\(", "current_", "localtime", r"random\(", r"select\s+\*", r"\.\*"):
        assert not re.search(word, code), word


@every_report
def test_a_report_names_the_schema_of_everything_it_reads(file: str) -> None:
    """PostgreSQL 17 and later refresh with an empty search_path."""
    code = re.sub(r"extract\(\w+ FROM \w+\)", "", code_of(file))
    own = set(re.findall(r"\b(\w+)(?: \([\w, ]+\))? AS \(", code))
    read = set(re.findall(r"\b(?:FROM|JOIN) (?!LATERAL)([\w.\"]+)", code)) - own
    assert read
    assert {name for name in read if not name.startswith(("records.", "reporting."))} == set()


def test_views_are_read_by_other_views_three_deep() -> None:
    assert "reporting.demo_hate_crime_trend" in code_of("demo_hate_crime_alerts")
    assert "reporting.demo_hate_crimes_by_month" in code_of("demo_hate_crime_trend")
    assert "records.nypd_hate_crimes" in code_of("demo_hate_crimes_by_month")


def test_an_unknown_canned_report_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "agencies.toml"
    path.write_text(
        'canned_report = []\n[[agency]]\nid = 1\nslug = "a"\nname = "A"\n'
        'subscription = [{id = 1, canned_report = "x"}]\n'
    )
    with pytest.raises(KeyError, match="x"):
        read_catalogue(path)
