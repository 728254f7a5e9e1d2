"""The demo's agencies, reports and subscriptions are consistent."""

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
    """Return the query without comments and string literals."""
    return re.sub(r"--[^\n]*|'(?:[^']|'')*'", "", query_of(file))


def test_report_files_match_the_catalogue(catalogue: Catalogue) -> None:
    assert catalogue.files == set(REPORTS)


def test_report_files_are_used_once(catalogue: Catalogue) -> None:
    assert len(catalogue.files) == len(catalogue.custom) + len(catalogue.canned)


def test_ids_and_slugs_of_agencies_are_unique(catalogue: Catalogue) -> None:
    assert len({agency.id for agency in catalogue.agencies}) == len(catalogue.agencies)
    assert len({agency.slug for agency in catalogue.agencies}) == len(catalogue.agencies)
    assert all(re.fullmatch("[a-z]+", agency.slug) for agency in catalogue.agencies)


def test_ids_of_a_kind_are_unique_and_above_real_manifests(catalogue: Catalogue) -> None:
    for rows in (catalogue.custom, catalogue.canned, catalogue.subscriptions):
        ids = [row.id for row in rows]
        assert len(set(ids)) == len(ids)
        assert min(ids) > 90_000


def test_custom_and_subscription_ids_overlap_like_in_production(catalogue: Catalogue) -> None:
    assert {report.id for report in catalogue.custom} & {subscription.id for subscription in catalogue.subscriptions}


def test_table_names_of_reports_are_unique(catalogue: Catalogue) -> None:
    names = [report.table_name for report in catalogue.custom] + [report.table_name for report in catalogue.canned]
    assert len({name.lower().removeprefix("reporting.") for name in names}) == len(names)
    assert not [name for name in names if "seeder_" in name]


def test_agency_subscribes_to_a_report_once(catalogue: Catalogue) -> None:
    pairs = Counter(
        (subscription.agency.slug, subscription.canned_report.id) for subscription in catalogue.subscriptions
    )
    assert set(pairs.values()) == {1}


def test_one_canned_report_has_three_subscribers(catalogue: Catalogue) -> None:
    subscribers = Counter(subscription.canned_report.file for subscription in catalogue.subscriptions)
    assert subscribers.most_common(1) == [("us_crime_rate_trend", 3)]
    assert {report.file for report in catalogue.canned} == set(subscribers)


def test_demo_agency_has_ten_reports_of_both_kinds(catalogue: Catalogue) -> None:
    custom = [report for report in catalogue.custom if report.agency.slug == "demo" and report.enabled]
    subscriptions = [subscription for subscription in catalogue.subscriptions if subscription.agency.slug == "demo"]
    assert (len(custom), len(subscriptions)) == (7, 3)


def test_one_agency_has_nothing_enabled(catalogue: Catalogue) -> None:
    with_reports = {report.agency.slug for report in catalogue.custom if report.enabled}
    with_reports |= {subscription.agency.slug for subscription in catalogue.subscriptions}
    assert {agency.slug for agency in catalogue.agencies} - with_reports == {"gotham"}


@every_report
def test_report_file_describes_its_purpose_and_its_rows(file: str) -> None:
    query = query_of(file)
    assert query.startswith("-- ")
    assert re.search(r"^-- .*One row per \([a-z_, ]+\)", query, re.MULTILINE)


@every_report
def test_report_is_one_deterministic_query(file: str) -> None:
    code = code_of(file).lower()
    assert ";" not in code
    for word in (r"now\(", "current_", "localtime", r"random\(", r"select\s+\*", r"\.\*"):
        assert not re.search(word, code), word


@every_report
def test_report_qualifies_every_relation(file: str) -> None:
    """PostgreSQL 17 and later refresh with an empty search_path."""
    code = re.sub(r"extract\(\w+ FROM \w+\)", "", code_of(file))
    ctes = set(re.findall(r"\b(\w+)(?: \([\w, ]+\))? AS \(", code))
    read = set(re.findall(r"\b(?:FROM|JOIN) (?!LATERAL)([\w.\"]+)", code)) - ctes
    assert read
    assert {name for name in read if not name.startswith(("records.", "reporting."))} == set()


def test_views_depend_on_views_three_levels_deep() -> None:
    assert "reporting.demo_hate_crime_trend" in code_of("demo_hate_crime_alerts")
    assert "reporting.demo_hate_crimes_by_month" in code_of("demo_hate_crime_trend")
    assert "records.nypd_hate_crimes" in code_of("demo_hate_crimes_by_month")


def test_unknown_canned_report_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "agencies.toml"
    path.write_text(
        'canned_report = []\n[[agency]]\nid = 1\nslug = "a"\nname = "A"\n'
        'subscription = [{id = 1, canned_report = "x"}]\n'
    )
    with pytest.raises(KeyError, match="x"):
        read_catalogue(path)
