"""The metrics endpoint: access, and answers without a database."""

import gzip
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from time import monotonic

import pytest
from django.contrib.auth.models import User
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families as read_text
from pytest_django import Settings

from seeder import conf
from seeder.errors import ConfigurationError
from seeder.services.read_models import metrics_snapshot
from tests.acceptance import api_clients
from tests.acceptance.metrics_scrapes import PATH, TOKEN, scrape, value
from tests.acceptance.web_process import default_database_with, fetch, web_process
from tests.conftest import CHECKOUT, CompletedCommand, process_environment
from tests.server_proxy import proxy_to_server


@pytest.fixture(autouse=True)
def guarded(empty_queue: None, settings: Settings) -> Iterator[None]:
    settings.SEEDER = {"METRICS_TOKEN": TOKEN}
    yield
    api_clients.delete_users()


ROLES: Mapping[str, tuple[int, Callable[[], User] | None]] = {
    "anonymous": (401, None),
    "stranger": (403, lambda: api_clients.create_user("stranger")),
    "reader of some agencies": (403, lambda: api_clients.create_user("reader", *api_clients.READER_PERMISSIONS)),
    "superuser": (200, lambda: User.objects.create_superuser("root")),
}


@pytest.mark.parametrize("role", ROLES)
def test_scrape_requires_access_to_all_agencies(role: str, settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name"}
    code, create = ROLES[role]
    caller = Client()
    if create is not None:
        caller.force_login(create())
    for method in ("GET", "HEAD"):
        assert caller.generic(method, PATH).status_code == code
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert caller.generic(method, PATH).status_code == 405
    refused = caller.get(PATH)
    assert "no-store" in refused["Cache-Control"]
    if code != 200:
        assert len(refused.content.splitlines()) == 1
        assert refused.has_header("WWW-Authenticate") is (code == 401)


def test_scrape_without_agency_scope_requires_permission() -> None:
    caller = Client()
    caller.force_login(api_clients.create_user("reader", "view_jobstatus"))
    assert caller.get(PATH).status_code == 200


def test_scrape_with_missing_scope_callable_answers_503(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "nowhere.scope"}
    caller = Client()
    caller.force_login(api_clients.create_user("reader", "view_jobstatus"))
    assert caller.get(PATH).status_code == 503


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Token {TOKEN}", TOKEN, "Bearer ü\0"],
)
def test_scrape_with_invalid_token_is_rejected(header: str, settings: Settings) -> None:
    for given in ({"METRICS_TOKEN": TOKEN}, {}):
        settings.SEEDER = given
        assert Client().get(PATH, headers={"Authorization": header}).status_code == 401


def test_bearer_scheme_is_case_insensitive() -> None:
    assert Client().get(PATH, headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_metrics_token_never_appears_in_messages(settings: Settings, manage: Callable[..., CompletedCommand]) -> None:
    assert TOKEN not in repr(conf.load())
    for given in (
        {"METRICS_TOKEN": TOKEN, "MAX_WORKER": 1},
        {"METRICS_TOKENS": TOKEN},
        {"METRICS_TOKEN": f"{TOKEN} x"},
    ):
        settings.SEEDER = given
        with pytest.raises(ConfigurationError) as raised:
            conf.load()
        assert TOKEN not in f"{raised.value} {raised.value.facts}"
    settings.SEEDER = {}
    wrong = manage("check", SEEDER_METRICS_TOKEN=f"{TOKEN}\n")
    assert (wrong.exit_code, "SEEDER_METRICS_TOKEN is …, but must be" in wrong.err) == (1, True)
    assert TOKEN not in wrong.err + wrong.out


@pytest.mark.slow
def test_prometheus_client_is_not_imported_unless_mounted() -> None:
    script = (  # without django_q, which imports it too
        "import importlib, sys, django\n"
        "from django.conf import settings\n"
        "settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != 'django_q']\n"
        "django.setup()\n"
        "for name in ('seeder.api.urls', 'seeder.admin', 'seeder.management.commands.refresh_all'):\n"
        "    importlib.import_module(name)\n"
        "    print('prometheus_client' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env=process_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == ["False"] * 3


def test_scrape_is_compressed_on_request() -> None:
    api_clients.insert_many_rows(50)
    answer = Client().get(PATH, headers={"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert b"seeder_up 1.0" in gzip.decompress(answer.content)


@pytest.mark.slow
def test_scrape_without_database_reports_down() -> None:
    with web_process(DB_HOST="/nowhere", SEEDER_METRICS_TOKEN=TOKEN) as address:
        code, text = fetch(address + PATH, Authorization=f"Bearer {TOKEN}")
        refused, _ = fetch(address + PATH)
    families = {family.name: family for family in read_text(text.decode())}
    assert (code, refused, value(families, "seeder_up")) == (200, 401, 0)
    always = {"seeder_up", "seeder_build_info", "seeder_scrape_duration_seconds", "data_pipeline_up"}
    assert families.keys() == always
    assert b"nowhere" not in text


@pytest.mark.slow
def test_scrape_of_hanging_database_ends_in_time() -> None:
    greeted: list[bytes] = []

    def answer(data: bytes) -> bytes:
        if greeted:
            return b""
        greeted.append(data) if b"Z\0\0\0\5I" in data else None
        return data

    with proxy_to_server(transform=answer) as (host, port), default_database_with(HOST=host, PORT=str(port)):
        started = monotonic()
        families = scrape()
    assert value(families, "seeder_up") == 0
    assert monotonic() - started < metrics_snapshot.TIMEOUT.total_seconds() + 2
