from typing import Any

import pytest
from pytest_django import Settings

from seeder import conf
from seeder.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _without_settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SEEDER = {}
    monkeypatch.delenv("SEEDER_MAX_WORKERS", raising=False)


def test_missing_settings_have_the_documented_defaults() -> None:
    assert conf.load() == conf.Settings(
        max_workers=8,
        refresh_concurrently=False,
        concurrent_fallback=True,
        lock_timeout_ms=2000,
        statement_timeout_ms=0,
        max_retries=3,
        databases={},
    )


def test_environment_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDER_MAX_WORKERS", "4")
    assert conf.load().max_workers == 4


def test_dictionary_takes_precedence_over_the_environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDER_MAX_WORKERS", "4")
    settings.SEEDER = {"MAX_WORKERS": 2, "DATABASES": {7: "default"}}
    assert conf.load() == conf.Settings(max_workers=2, databases={7: "default"})


@pytest.mark.parametrize(
    "value", ["lots", "0", "-1", "1.5", "", "1e3", "\uff14", "\u0664", "+4", "1_0", " 4", "4\n", "9" * 5000]
)
def test_unreadable_value_names_its_variable(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDER_MAX_WORKERS", value)
    with pytest.raises(ConfigurationError, match="^SEEDER_MAX_WORKERS is "):
        conf.load()


@pytest.mark.parametrize(("text", "expected"), [("true", True), (" Yes", True), ("0", False), ("OFF", False)])
def test_flag_accepts_common_spellings(text: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setenv("SEEDER_REFRESH_CONCURRENTLY", text)
    assert conf.load().refresh_concurrently is expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REFRESH_CONCURRENTLY", "maybe"),
        ("STATEMENT_TIMEOUT_MS", "-1"),
        ("STATEMENT_TIMEOUT_MS", str(2**31)),
        ("LOCK_TIMEOUT_MS", "0"),
        ("MAX_RETRIES", "101"),
    ],
)
def test_setting_out_of_range_names_its_variable(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"SEEDER_{name}", value)
    with pytest.raises(ConfigurationError, match=f"^SEEDER_{name} is "):
        conf.load()


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ({"MAX_WORKERS": True}, r"SEEDER\['MAX_WORKERS'\] is True"),
        ({"MAX_WORKER": 2}, "SEEDER is .* a dictionary with some of MAX_WORKERS, .*; nearest: MAX_WORKERS"),
        ({"MAX_WORKERS": "\uff14"}, r"SEEDER\['MAX_WORKERS'\] is '\uff14'"),
        ({"MAX_WORKERS": 4.0}, r"SEEDER\['MAX_WORKERS'\] is 4.0"),
        ({"COLOR": "red"}, "METRICS_VIEWS, DATABASES.$"),
        ([], "SEEDER is "),
        ({"DATABASES": {1: "nowhere"}}, r"SEEDER\['DATABASES'\] is .* in DATABASES: default"),
        ({"DATABASES": {"1": "default"}}, r"SEEDER\['DATABASES'\]"),
        ({"DATABASES": "default"}, r"SEEDER\['DATABASES'\]"),
        ({"DRIFT_RULES": "rows"}, r"SEEDER\['DRIFT_RULES'\] is 'rows', but must be a list of rules such as"),
        ({"DRIFT_RULES": [{"kind": "row", "severity": "notice"}]}, r"SEEDER\['DRIFT_RULES'\] is {'kind': 'row'"),
        ({"DRIFT_RULES": [{"kind": "rows", "severity": "bad"}]}, r"SEEDER\['DRIFT_RULES'\]"),
        ({"DRIFT_RULES": [{"kind": "rows"}]}, r"SEEDER\['DRIFT_RULES'\]"),
        ({"DRIFT_RULES": [{"kind": "rows", "severity": "notice", "at_least": 1}]}, r"SEEDER\['DRIFT_RULES'\]"),
        ({"DRIFT_RULES": [{"kind": "rows", "severity": "notice", "relative": "x"}]}, r"SEEDER\['DRIFT_RULES'\]"),
        ({"DRIFT_RULES": [{"kind": "rows", "severity": "notice", "relative": -1}]}, r"SEEDER\['DRIFT_RULES'\]"),
        ({"DRIFT_RULES": [{"kind": "rows", "severity": "notice", "relative": True}]}, r"SEEDER\['DRIFT_RULES'\]"),
        (
            {"DRIFT_RULES": [{"kind": "rows", "severity": "notice", "relative": float("nan")}]},
            r"SEEDER\['DRIFT_RULES'\]",
        ),
        ({"DRIFT_RULES": [{"kind": "rows", "severity": "notice", "absolute": 10**400}]}, r"SEEDER\['DRIFT_RULES'\]"),
        ({"DRIFT_RULES": ["rows"]}, r"SEEDER\['DRIFT_RULES'\]"),
        ({"API_WRITE_RATE": "often"}, r"SEEDER\['API_WRITE_RATE'\] is 'often', but must be a number per sec"),
        ({"API_WRITE_RATE": "0/min"}, r"SEEDER\['API_WRITE_RATE'\]"),
        ({"API_WRITE_RATE": "9/month"}, r"SEEDER\['API_WRITE_RATE'\]"),
    ],
)
def test_wrong_dictionary_names_the_key(value: Any, pattern: str, settings: Settings) -> None:
    settings.SEEDER = value
    with pytest.raises(ConfigurationError, match=pattern):
        conf.load()


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("SEEDER_MAX_WORKER", "is no setting and has no effect. The nearest one is 'SEEDER_MAX_WORKERS'."),
        ("SEEDER_WORKERS", "is no setting and has no effect. The nearest one is 'SEEDER_MAX_WORKERS'."),
        ("seeder_max_workers", "is no setting and has no effect. The nearest one is 'SEEDER_MAX_WORKERS'."),
        ("SEEDER_COLOR", "is no setting and has no effect."),
        ("SEEDER_DATABASES", "has no effect: set SEEDER['DATABASES'] in the host's settings."),
    ],
)
def test_ignored_variable_is_named_without_its_value(
    variable: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "hidden")
    assert [*conf.ignored_variables()] == [(variable, f"{variable} {message}")]


def test_settings_and_service_variables_are_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_WORKERS", "PORT", "SERVICE_HOST", "WEB_SERVICE_PORT_HTTP", "WEB_PORT_8000_TCP_ADDR"):
        monkeypatch.setenv(f"SEEDER_{name}", "1")
    assert [*conf.ignored_variables()] == []


@pytest.mark.parametrize(
    "group",
    [
        {},
        {"views": "reporting.a"},
        {"views": ["pg_catalog.a"]},
        {"views": [1]},
        {"view": ["reporting.a"]},
        {"agencies": ["demo"], "allow_blocking": "no"},
        {"agencies": ["demo"], "publish_without_held": 1},
        {"agencies": ["demo"], "max_seconds": 0},
        ["reporting.a"],
        None,
    ],
)
def test_bad_consistent_group_is_refused(settings: Settings, group: object) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month end": group}}
    with pytest.raises(ConfigurationError, match="must be a map of names to groups"):
        conf.load()
