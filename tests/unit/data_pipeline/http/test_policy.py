"""The settings of all integrations and of single ones."""

import pytest
from django.test import override_settings

from data_pipeline import conf
from data_pipeline.domain.outbound_hosts import HostPattern, Origin
from data_pipeline.http.policy import policy_of
from seeder.errors import ConfigurationError


def test_defaults_are_those_of_the_reference() -> None:
    policy = policy_of("shop")
    assert (policy.connect_s, policy.read_s, policy.total_s, policy.attempts) == (5, 30, 60, 4)
    assert (policy.backoff.base_s, policy.backoff.max_s, policy.backoff.jitter_s) == (0.5, 30, 0.5)
    assert policy.retry_statuses == {429, 500, 502, 503, 504}


def test_variables_of_all_integrations_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HTTP_CONNECT_TIMEOUT_S": "1.5",
        "HTTP_READ_TIMEOUT_S": "7",
        "HTTP_TOTAL_TIMEOUT_S": "9",
        "HTTP_MAX_RETRIES": "0",
        "HTTP_RETRY_STATUS_CODES": "503, 599",
        "DATA_PIPELINE_ALLOWED_HOSTS": "api.example.com,.example.org:8443",
    }.items():
        monkeypatch.setenv(name, value)
    policy = policy_of("shop")
    assert (policy.connect_s, policy.read_s, policy.total_s, policy.attempts) == (1.5, 7, 9, 1)
    assert policy.retry_statuses == {503, 599}
    assert [str(one) for one in policy.hosts.allowed] == ["api.example.com", ".example.org:8443"]


def test_variables_of_an_integration_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HELIUM10_BASE_URL": "https://api.example.com/v1",
        "HELIUM10_TIMEOUT_S": "90",
        "HELIUM10_MAX_RETRIES": "1",
        "HELIUM10_BACKOFF_BASE_S": "2",
        "HELIUM10_BACKOFF_MAX_S": "3",
        "HELIUM10_BACKOFF_JITTER_S": "0",
        "LOGISTICS_RETRIES": "5",
        "LLM_REQUEST_TIMEOUT_S": "120",
    }.items():
        monkeypatch.setenv(name, value)
    policy = policy_of("helium10")
    assert (policy.base_url, policy.read_s, policy.attempts) == ("https://api.example.com/v1", 90, 2)
    assert policy.total_s == 90, "a longer time for one attempt needs a longer total"
    assert (policy.backoff.base_s, policy.backoff.max_s, policy.backoff.jitter_s) == (2, 3, 0)
    assert policy.hosts.base == Origin(scheme="https", host="api.example.com", port=443)
    assert (policy_of("logistics").attempts, policy_of("llm").read_s) == (6, 120)


@override_settings(DATA_PIPELINE={"INTEGRATIONS": {"shop": {"MAX_RETRIES": 7}}})
def test_dictionary_wins_over_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_MAX_RETRIES", "1")
    monkeypatch.setenv("SHOP_TIMEOUT_S", "3")
    assert (policy_of("shop").attempts, policy_of("shop").read_s) == (8, 3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"INTEGRATIONS": {"Shop!": {}}}, "name of an integration is 'Shop!'"),
        ({"INTEGRATIONS": {"shop": {"BASE_URL": "https://u:secret@example.com"}}}, "without credentials"),
        ({"INTEGRATIONS": {"shop": {"BASE_URL": "ftp://example.com"}}}, "a URL with http or https"),
        ({"INTEGRATIONS": {"shop": {"TIMEOUT": 1}}}, "TIMEOUT_S"),
        ({"INTEGRATIONS": []}, "a dictionary of integrations"),
        ({"HTTP_RETRY_STATUS_CODES": "200"}, "from 400 to 599"),
        ({"HTTP_BACKOFF_BASE_S": "1e3"}, "a number from 0 to 3600"),
        ({"HTTP_TOTAL_TIMEOUT_S": 0}, "a number from 0.001 to 86400"),
        ({"ALLOWED_HOSTS": "https://example.com"}, "hosts, separated by commas"),
        ({"ALLOWED_HOSTS": ["*"]}, "hosts, separated by commas"),
        ({"PRIVATE_HOSTS": 7}, "hosts, separated by commas"),
    ],
)
def test_bad_setting_is_one_error_without_secrets(settings: dict[str, object], words: str) -> None:
    with override_settings(DATA_PIPELINE=settings), pytest.raises(ConfigurationError, match=words) as raised:
        conf.load()
    assert "secret" not in str(raised.value)


def test_host_patterns_are_printed_as_they_are_written() -> None:
    texts = ["api.example.com", ".example.com", "example.com:8443", "[::1]:80", "10.0.0.1"]
    assert [str(HostPattern.parse(text)) for text in texts] == texts
