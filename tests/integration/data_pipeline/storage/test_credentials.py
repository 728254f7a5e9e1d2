"""Credentials that the client finds itself, used at the real server."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline.storage_errors import CredentialsMissing, IssuerUnavailable
from embedded.object_storage.server import ObjectStorage
from tests.buckets import Bucket
from tests.integration.data_pipeline.storage.conftest import MakeStore
from tests.ports import free_port
from tests.scripted_http import Step, answer, serve

XML = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{0.access_key_id}</AccessKeyId>
<SecretAccessKey>{0.secret_access_key}</SecretAccessKey><SessionToken>a-token</SessionToken>
<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""
TOKEN = "of-the-account"  # noqa: S105  # of the test
REFUSAL = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no trust</Message></Error></ErrorResponse>"


@pytest.fixture(autouse=True)
def without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the credentials of this machine."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def list_keys(make_store: MakeStore, bucket: Bucket) -> Callable[[], list[str]]:
    """Return a function that lists a bucket without keys in the settings."""
    bucket.put("key", b"a")
    return lambda: [found.key for found in make_store(S3_ACCESS_KEY_ID="").list(bucket.name)]


@pytest.fixture
def take_on_role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Return a function that sets the variables of a pod whose service account has a role."""
    (tmp_path / "token").write_text(TOKEN)

    def take_on(token: str, url: str) -> None:
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/lane")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / token))
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)

    return take_on


def test_keys_of_the_environment_are_used(
    list_keys: Callable[[], list[str]], object_storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", object_storage.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", object_storage.secret_access_key)
    assert list_keys() == ["key"]


def test_keys_of_a_profile_are_used(
    list_keys: Callable[[], list[str]], object_storage: ObjectStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id, key = object_storage.access_key_id, object_storage.secret_access_key
    (tmp_path / "credentials").write_text(f"[lane]\naws_access_key_id={key_id}\naws_secret_access_key={key}\n")
    monkeypatch.setenv("AWS_PROFILE", "lane")
    assert list_keys() == ["key"]


def test_token_of_a_service_account_is_exchanged_for_keys(
    list_keys: Callable[[], list[str]], take_on_role: Callable[[str, str], None], object_storage: ObjectStorage
) -> None:
    with serve(answer(body=XML.format(object_storage).encode())) as sts:
        take_on_role("token", sts.url)
        assert list_keys() == ["key"]
    [exchanged] = sts.requests
    assert f"WebIdentityToken={TOKEN}".encode() in exchanged.body


@pytest.mark.parametrize(
    ("token", "step", "cause"),
    [
        ("missing", answer(), "missing: No such file or directory"),
        ("token", answer(403, REFUSAL.encode()), "AccessDenied.* AssumeRoleWithWebIdentity operation: no trust"),
    ],
)
def test_role_that_cannot_be_taken_on_is_one_line(
    list_keys: Callable[[], list[str]], take_on_role: Callable[[str, str], None], token: str, step: Step, cause: str
) -> None:
    with serve(step) as sts:
        take_on_role(token, sts.url)
        with pytest.raises(CredentialsMissing, match=cause) as raised:
            list_keys()
    assert TOKEN not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_issuer_that_is_not_reached_is_named(
    list_keys: Callable[[], list[str]], take_on_role: Callable[[str, str], None]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    take_on_role("token", url)
    with pytest.raises(IssuerUnavailable) as raised:
        list_keys()
    assert str(raised.value).startswith(f"{url} issued no credentials for http://")
    assert "Connection refused. It was tried 4 times." in str(raised.value)
