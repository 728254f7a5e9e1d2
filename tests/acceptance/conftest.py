from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.acceptance import api_clients, doctor_database, refresh_processes
from tests.acceptance.doctor_database import Doctor, Manage
from tests.pseudo_locale import LANGUAGE, write_pseudo_catalog
from translations.__main__ import APPS


@pytest.fixture
def kill_processes_after(bare_database: None) -> Iterator[None]:
    yield
    refresh_processes.kill_all()


@pytest.fixture
def healthy_database(empty_queue: None) -> Iterator[None]:
    """A database in which the doctor finds no problem."""
    with doctor_database.roles_and_grants():
        yield


@pytest.fixture
def reader(contract_tables: None, settings: Settings) -> Iterator[APIClient]:
    """Return a client whose user may read the reports of two agencies."""
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name"}
    yield api_clients.api_client(api_clients.create_user("reader", *api_clients.READER_PERMISSIONS))
    api_clients.delete_users()


@pytest.fixture
def doctor(healthy_database: None, manage: Manage) -> Doctor:
    """Return what the doctor finds as its own role, with these options and this environment."""
    return partial(doctor_database.find_problems, manage)


@pytest.fixture(scope="session")
def marked_catalogs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marked")
    write_pseudo_catalog(folder, *APPS)
    return folder


@pytest.fixture
def marked_messages(marked_catalogs: Path, settings: Settings) -> None:
    """Show each message in a language of its own, with its words between ⟦ and ⟧."""
    settings.LOCALE_PATHS, settings.LANGUAGE_CODE = [marked_catalogs], LANGUAGE
    settings.LANGUAGES = [(LANGUAGE, "marked")]
