"""Marks the tests that CI runs on the oldest PostgreSQL, too: those of the database."""

import pytest

_FOLDERS = ("tests/integration/", "tests/faults/", "tests/cases/")
# Tests of pages send the same statements as the services. Of the loading lane, the slow tests run all statements.
_EXCLUDED = ("tests/integration/admin/", "tests/integration/data_pipeline/")


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(_FOLDERS) and not item.nodeid.startswith(_EXCLUDED):
            item.add_marker("database")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    if unnamed := [str(path) for path in slow if "mark.slow" not in path.read_text("utf-8")]:
        raise pytest.UsageError(f"CI finds slow tests by `mark.slow` in their file, which is missing: {unnamed}")
