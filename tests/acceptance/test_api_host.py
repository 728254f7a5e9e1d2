"""The API in hosts with other REST settings, and its docs page."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from seeder.api.base_view import SeederView
from seeder.errors import BadName
from tests.acceptance import api_clients
from tests.acceptance.web_process import default_database_with
from tests.conftest import CHECKOUT, create_custom_manifest, process_environment

SETTINGS = """
from settings.test import *

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.AdminRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_THROTTLE_RATES": {},
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "DEFAULT_SCHEMA_CLASS": "rest_framework.schemas.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "nowhere.handler",
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": "%d.%m.%Y",
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "The host",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAdminUser"],
    "SWAGGER_UI_DIST": "https://cdn.example.org",
    "POSTPROCESSING_HOOKS": ["hooks.forget"],
    "PREPROCESSING_HOOKS": ["hooks.forget"],
}
INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "rest_framework.authtoken"]
"""
REQUESTS = """
import django, json
django.setup()
from django.contrib.auth.models import User
from rest_framework.test import APIClient
caller = APIClient(SERVER_NAME="localhost")
responses = [caller.get("/api/seeder/v1/jobs/")]
caller.force_login(User.objects.get(username="reader"))
paths = ("jobs/", "jobs/custom/9/", "schema/", "docs/")
responses += [caller.get("/api/seeder/v1/" + path, HTTP_ACCEPT="text/html") for path in paths]
print(json.dumps([[one.status_code, one["Content-Type"], one.content.decode()] for one in responses]))
"""


@pytest.fixture(autouse=True)
def delete_users(contract_tables: None) -> Iterator[None]:
    yield
    api_clients.delete_users()


@pytest.mark.slow
def test_api_ignores_the_hosts_rest_framework_settings(tmp_path: Path) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    reader = api_clients.create_user("reader", *api_clients.READER_PERMISSIONS)
    (tmp_path / "otherwise.py").write_text(SETTINGS)
    (tmp_path / "hooks.py").write_text("def forget(*_, **__): return []\n")
    environment = {
        **process_environment(),
        "DJANGO_SETTINGS_MODULE": "otherwise",
        "PYTHONPATH": os.pathsep.join([os.fspath(tmp_path), os.fspath(CHECKOUT)]),
    }
    ended = subprocess.run(
        [sys.executable, "-c", REQUESTS], cwd=CHECKOUT, env=environment, check=False, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    anonymous, jobs, missing, schema, docs = json.loads(ended.stdout)
    ours = api_clients.api_client(reader).get(f"{api_clients.ROOT}jobs/")
    assert (anonymous[0], anonymous[1]) == (401, "application/problem+json")
    assert (jobs[0], jobs[1], json.loads(jobs[2])) == (200, "application/json", ours.json())
    assert (missing[0], missing[1]) == (404, "application/problem+json")
    described = json.loads(schema[2])
    assert (schema[0], described["info"]) == (
        200,
        api_clients.api_client(reader).get(f"{api_clients.ROOT}schema/").json()["info"],
    )
    assert all(path.startswith(api_clients.ROOT) for path in described["paths"])
    assert (docs[0], "cdn.example.org" in docs[2]) == (200, False)


def test_unavailable_database_answers_503_without_details() -> None:
    caller = APIClient(HTTP_AUTHORIZATION="Token " + 40 * "a")
    with default_database_with(HOST="/nowhere"):
        answer = caller.get(f"{api_clients.ROOT}jobs/")
    assert (answer.status_code, answer.json()["detail"].partition(".")[0]) == (503, "Temporarily unavailable")
    assert "nowhere" not in answer.content.decode()


def test_schema_describes_every_error_response() -> None:
    described = api_clients.api_client(api_clients.create_user("reader")).get(f"{api_clients.ROOT}schema/").json()
    for methods in described["paths"].values():
        for method, operation in methods.items():
            refusals = {"400", "401", "403", "404", "503"} | ({"409", "415", "429"} if method == "post" else set())
            assert refusals <= operation["responses"].keys()
    assert described["components"]["securitySchemes"].keys() == {"tokenAuth", "cookieAuth"}


def test_schema_marks_64_bit_integers() -> None:
    schemas = (
        api_clients.api_client(api_clients.create_user("reader"))
        .get(f"{api_clients.ROOT}schema/")
        .json()["components"]["schemas"]
    )
    for name, field in (("History", "bytesProcessed"), ("SnapshotSummary", "rowCount"), ("Column", "distinct")):
        assert schemas[name]["properties"][field]["format"] == "int64"
    assert schemas["History"]["properties"]["bytesProcessed"]["nullable"]


def test_docs_page_loads_only_own_files() -> None:
    caller = APIClient()
    assert caller.get(f"{api_clients.ROOT}docs/")["Location"].startswith("/admin/login/")
    caller.force_login(api_clients.create_user("reader"))
    page = caller.get(f"{api_clients.ROOT}docs/").content.decode()
    assert "://" not in page.replace("http://testserver", "").replace("http://www.w3.org", "")
    assert not re.search(r"<style|<script(?! src=)", page)
    [address] = re.findall(rf'src="({api_clients.ROOT}docs/\?[^"]*)"', page)
    script = caller.get(address)
    assert script["Content-Type"].startswith("application/javascript")
    assert f"{api_clients.ROOT}schema/" in script.content.decode()
    assert APIClient().get(address)["Location"].startswith("/admin/login/")
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/static/drf_spectacular_sidecar/swagger-ui-dist/{name}" in page
        assert finders.find(f"drf_spectacular_sidecar/swagger-ui-dist/{name}")


class OtherAppView(SeederView):
    """A view as another app would define it."""

    schema = None  # type: ignore[assignment]  # not part of the schema
    required_permissions: ClassVar = {"GET": "auth.view_user"}
    error_statuses: ClassVar = (((BadName,), 404),)

    def get(self, request: Request) -> Response:  # noqa: ARG002
        raise BadName(text="row 9", problem="there is no such row")


# The URLs of a host that mounts the app in a namespace, and a view of another app.
urlpatterns = [
    path("admin/", admin.site.urls),
    path("theirs/", include(("seeder.urls", "theirs"))),
    path("other/", OtherAppView.as_view()),
]


@pytest.mark.urls(__name__)
def test_view_of_other_app_uses_its_permission_and_error_statuses() -> None:
    reader = api_clients.create_user("reader")
    assert APIClient().get("/other/").status_code == 401
    assert api_clients.api_client(reader).get("/other/").status_code == 403
    reader.user_permissions.add(Permission.objects.get(codename="view_user"))
    answer = api_clients.api_client(reader).get("/other/")
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (404, "not_found", "Not found.")


@pytest.mark.urls(__name__)
def test_root_lists_urls_in_host_namespace() -> None:
    links = api_clients.api_client(api_clients.create_user("reader")).get("/theirs/v1/").json()["links"]
    assert links["runs"] == "http://testserver/theirs/v1/runs/"
    assert {"jobs", "snapshots", "schema", "docs"} <= links.keys()
    assert not {"root", "job", "run"} & links.keys()


@pytest.mark.urls(__name__)
def test_programming_error_answers_500_without_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    superuser = User.objects.create_superuser("super")
    monkeypatch.setattr(OtherAppView, "get", lambda *_: int("secret-123"))
    caller = api_clients.api_client(superuser)
    with pytest.raises(ValueError, match="secret-123"):  # the client's signal handler raises it
        caller.get("/other/")
    caller.raise_request_exception = False
    answer = caller.get("/other/", HTTP_X_REQUEST_ID="abc")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert (answer.json()["code"], answer.json()["requestId"]) == ("internal_error", "abc")
    assert "secret-123" not in answer.content.decode()


@pytest.mark.urls(__name__)
def test_docs_page_in_host_namespace_finds_schema() -> None:
    caller = APIClient()
    caller.force_login(api_clients.create_user("reader"))
    page = caller.get("/theirs/v1/docs/").content.decode()
    [address] = re.findall(r'src="(/theirs/v1/docs/\?[^"]*)"', page)
    assert "/theirs/v1/schema/" in caller.get(address).content.decode()


@pytest.mark.slow
def test_docs_page_without_drf_spectacular_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(
        "from settings.test import *\n"
        "INSTALLED_APPS = [app for app in INSTALLED_APPS if not app.startswith('drf_spectacular')]\n"
    )
    api_clients.create_user("reader", *api_clients.READER_PERMISSIONS)
    path = os.pathsep.join([os.fspath(tmp_path), os.fspath(CHECKOUT)])
    environment = {**process_environment(), "DJANGO_SETTINGS_MODULE": "plain", "PYTHONPATH": path}
    responses = subprocess.check_output([sys.executable, "-c", REQUESTS], cwd=CHECKOUT, env=environment)
    assert [status for status, *_ in json.loads(responses)] == [401, 200, 404, 200, 404]
