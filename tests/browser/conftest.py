"""Chromium, a web server with users, and a queue."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from seeder.domain.refresh_requests import AllReports
from seeder.services.run import orchestrator
from tests import ports
from tests.acceptance import queue_clusters
from tests.conftest import CHECKOUT, create_canned_report, create_custom_manifest, process_environment, sql

HERE = Path(__file__).parent
CHROMIUM = Path("/usr/bin/chromium")
_OPTIONS = """
    --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync
"""
IS_REQUIRED = os.environ.get("SEEDER_BROWSER") == "required"  # read before a fixture cleans the environment
LONGEST_WORDS = "de"  # the language with which a narrow page is most likely too wide
PASSWORD = "open sesame"  # noqa: S105  # of test users
READER_PERMISSIONS = ("view_jobstatus", "view_runhistory", "view_run", "view_releasesnapshot", "view_queuedrefresh")
OPERATOR_PERMISSIONS = (*READER_PERMISSIONS, "refresh_views", "capture_releasesnapshot", "view_errors")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        reason = f"there is no {CHROMIUM}: install the package chromium"
        if IS_REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
    # Playwright runs an event loop in this thread, in which Django would refuse database access.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=60_000)  # milliseconds: a busy machine may take long
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_OPTIONS.split())
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@dataclass(kw_only=True)
class Site:
    """The web server and the browser contexts of its visitors."""

    address: str
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    browser_errors: list[str] = field(default_factory=list)  # console errors, and requests to other hosts

    def logged_in_page(
        self, name: str, *, width: int = 1280, scheme: str = "light", scripts: bool = True, language: str = "en"
    ) -> Page:
        """Return a page of a new browser context with this user."""
        context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
            locale=language,
        )
        context.set_default_timeout(60_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", self._on_console_message)
        page.on("pageerror", lambda error: self.browser_errors.append(str(error)))
        page.on("request", self._on_request)
        page.goto("/admin/login/?next=/admin/")
        page.fill("[name=username]", name)
        page.fill("[name=password]", PASSWORD)
        page.click("[type=submit]")
        return page

    def _on_console_message(self, message: ConsoleMessage) -> None:
        # Browsers request an icon, which the host does not have.
        if message.type in {"error", "warning"} and "favicon" not in message.location["url"]:
            self.browser_errors.append(message.text)

    def _on_request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.address).netloc:
            self.browser_errors.append(f"requested {request.url}")


def create_user(name: str, *permissions: str) -> User:
    created = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    created.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="seeder"))
    return created


@pytest.fixture(scope="session")
def upload_root(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of uploads, for the web server and a cluster."""
    return str(tmp_path_factory.mktemp("uploads"))


@pytest.fixture(scope="session")
def web_server(django_databases: None, upload_root: str) -> Iterator[str]:
    """Start the web server. A user named after an agency sees only it."""
    with running_server(
        SEEDER_AGENCY_SCOPE="agency_scopes.agencies_by_username",
        ROI_VIEW_NAME="mat_v_roi_full",
        DATA_PIPELINE_UPLOAD_ROOT=upload_root,
        SEEDER_ALLOW_MANIFEST_EDITING="true",
    ) as address:
        yield address


@contextmanager
def running_server(**variables: str) -> Iterator[str]:
    """Run a web server with these environment variables, and yield its address."""
    port = ports.free_port()
    server = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
        cwd=CHECKOUT,
        env={**process_environment(), "PYTHONPATH": str(HERE), **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        queue_clusters.wait_until(lambda: server.poll() is not None or ports.is_listening(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait(20)


@pytest.fixture
def site(chromium: Browser, web_server: str, empty_queue: None) -> Iterator[Site]:
    """Three users on the web server."""
    User.objects.all().delete()
    create_user("operator", *OPERATOR_PERMISSIONS)
    create_user("reader", *READER_PERMISSIONS)
    create_user("metro", *OPERATOR_PERMISSIONS)
    site = Site(address=web_server, browser=chromium)
    try:
        yield site
        assert site.browser_errors == []
    finally:
        for context in site.contexts:
            context.close()
        queue_clusters.kill_all()
        User.objects.all().delete()
        # Playwright's event loop gives this thread other connections than those that are closed after the last test.
        connections.close_all()


@pytest.fixture
def reports(site: Site) -> Iterator[None]:
    """Reports, and a run in which one failed."""
    create_custom_manifest("reporting.good", "SELECT n FROM generate_series(1, 200) AS n")
    create_custom_manifest(
        "reporting.bad", "SELECT ('secret ' || n)::integer AS n FROM generate_series(1, 2) AS n", agency="metro"
    )
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("demo", "metro"))
    create_custom_manifest('"Gotham PD"."Use of Force / 100%"', "SELECT 1 AS n", agency="harbor")
    sql('CREATE SCHEMA "Gotham PD"')
    orchestrator.execute_run(AllReports(), requested_by="a test")
    yield
    sql('DROP SCHEMA "Gotham PD" CASCADE')
