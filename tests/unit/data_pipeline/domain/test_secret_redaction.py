"""Secrets in settings and environment variables."""

import json

import pytest

from data_pipeline.domain.secret_redaction import HIDDEN, without_secrets


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY", "DB_PASSWORD", "password", "PII_HASH_KEY", "pii_hash_key", "S3_ACCESS_KEY_ID",
        "S3_SECRET_ACCESS_KEY", "AUTH_TOKENS", "sslpassword", "SENTRY_DSN", "API_KEYS", "apikey", "credentials",
    ],
)  # fmt: skip
def test_secret_is_hidden(name: str) -> None:
    assert without_secrets(name, "hunter2") == HIDDEN
    assert without_secrets("DATABASES", {"x": [{name: "hunter2"}]}) == {"x": [{name: HIDDEN}]}
    assert without_secrets(name, "") == ""


@pytest.mark.parametrize("name", ["KEY_BY", "INGEST_SCHEMA", "keep_rejects", "HOST", "monkeys"])
def test_other_value_is_shown(name: str) -> None:
    assert without_secrets(name, "x") == "x"


@pytest.mark.parametrize(
    "text", ["redis://user:hunter2@host:1/0?token=hunter2", "host:1 password = 'hunter2'", "host:1 PASSWORD=hunter2"]
)
def test_address_loses_its_password(text: str) -> None:
    shown = json.dumps(without_secrets("BROKER", [text]))
    assert "hunter2" not in shown
    assert "host:1" in shown


def test_object_is_shown_by_its_type_only() -> None:
    class Leaky:
        def __repr__(self) -> str:
            return "hunter2"

    assert without_secrets("ENGINE", Leaky()) == "<Leaky>"
