"""Each pipeline has what the checklist of docs/how-to/add-a-connector.md wants, and uses public functions only."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.architecture.markdown import page_text
from tests.architecture.test_house import calls, imported_names, tree
from tests.conftest import CHECKOUT

FOLDER = CHECKOUT / "data_pipeline" / "pipelines"
TESTS = CHECKOUT / "tests" / "integration" / "data_pipeline" / "pipelines"
COMMANDS = [name for name, app in get_commands().items() if app == "data_pipeline.pipelines"]
CHANGING = {"now", "today", "localdate", "time", "time_ns", "uuid4", "random", "urandom", "token_hex"}


def sources() -> Mapping[Path, str]:
    """Return the constant `SOURCE` of each pipeline."""
    return {
        path: statement.value.value
        for path in sorted(FOLDER.glob("*.py"))
        for statement in tree(path).body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "SOURCE"
        if isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    }


PIPELINES = sources()
every_pipeline = pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)


def test_pipelines_have_sources_of_their_own() -> None:
    assert sorted(PIPELINES.values()) == ["fees_h10", "logistics_etl", "price_importer"]


@every_pipeline
def test_pipeline_claims_its_load_by_a_key_without_the_time(path: Path) -> None:
    called = set(calls(tree(path)))
    assert {"process_once", "compute_idempotency_key"} <= called
    assert called & CHANGING == set()


@every_pipeline
def test_pipeline_measures_its_runs(path: Path) -> None:
    """`handle.load` counts its records, and `HTTPClient` its retries."""
    assert {"record_etl_run", "record_etl_skip", "load"} <= set(calls(tree(path)))


@every_pipeline
def test_pipeline_uses_neither_sql_nor_storage(path: Path) -> None:
    hidden = ("data_pipeline.postgres", "data_pipeline.storage", "seeder.", "psycopg", "boto3")
    found = [name for name in imported_names(path) if name.startswith(hidden)]
    assert [name for name in found if name != "seeder.texts.Text"] == []


@every_pipeline
def test_pipeline_has_tests_and_a_section_of_its_page(path: Path) -> None:
    assert (TESTS / f"test_{path.stem}.py").exists()
    assert f"`{PIPELINES[path]}`" in page_text("how-to/pipelines.md")


def test_every_command_of_the_pipelines_is_a_job_and_documented() -> None:
    jobs = {path.stem for path in (FOLDER / "jobs").glob("*.py")} - {"__init__"}
    assert sorted(COMMANDS) == sorted(jobs)
    assert [name for name in COMMANDS if f"manage.py {name} " not in page_text("how-to/pipelines.md")] == []
