"""The generated pages of docs/reference are current and complete."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from psycopg.errors import _sqlcodes

from data_pipeline.domain.system_check_hints import SYSTEM_CHECK_HINTS as LOADING_HINTS
from docs_reference.checks_page import doctor_problems
from docs_reference.errors_page import NEXT_STEPS, loading_errors
from docs_reference.failure_reasons import CONDITIONS, OWN_REASONS
from docs_reference.log_events import LOADING_EVENTS, LOG_EVENTS
from docs_reference.pages import PAGES
from docs_reference.sqlstate_classes import CLASSES
from docs_reference.system_check_meanings import SYSTEM_CHECK_MEANINGS
from seeder.domain.admission_types import HoldReason
from seeder.domain.outcomes import GroupReason, HeldReason
from seeder.domain.system_check_hints import SYSTEM_CHECK_HINTS
from seeder.errors import ManifestError
from seeder.postgres import sqlstates
from tests.architecture.markdown import page_text
from tests.conftest import CHECKOUT

Sources = Mapping[Path, ast.AST]


@cache
def sources_of(package: str) -> Sources:
    """Parse a package, when a test needs it: every worker imports this module."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((CHECKOUT / package).rglob("*.py"))}


LOG_FUNCTIONS = {"log_event", "structured_log.log_event", "self._log", "self._log_view"}
SQLSTATES = {state for state in _sqlcodes if re.fullmatch("[0-9A-Z]{5}", state)}


@pytest.mark.parametrize("name", PAGES)
def test_generated_page_is_current(name: str) -> None:
    assert page_text(f"reference/{name}") == PAGES[name](), "run `make docs`"


def test_every_reason_of_the_app_is_described() -> None:
    of_manifests = {kind.reason for kind in ManifestError.__subclasses__()}
    assert OWN_REASONS.keys() == {*HoldReason, *HeldReason, *GroupReason, *of_manifests, sqlstates.condition_name(None)}


def test_reasons_are_set_only_in_known_places() -> None:
    """A reason from another place must be described, and listed here."""
    places = {
        (path.name, ast.unparse(keyword.value))
        for path, tree in sources_of("seeder").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Failure", "RejectedManifest"}
        for keyword in node.keywords
        if keyword.arg == "reason"
    }
    assert places == {
        ("failure_description.py", "condition_name(state)"),
        ("unpublished_results.py", "hold.reason"),
        ("unpublished_results.py", "HeldReason.DATA_CHECKS"),
        ("unpublished_results.py", "HeldReason.DEPENDENCY"),
        ("unpublished_groups.py", "HeldReason.DEPENDENCY"),
        ("unpublished_groups.py", "HeldReason.GROUP"),
        ("unpublished_groups.py", "GroupReason.FAILED"),
        ("unpublished_groups.py", "GroupReason.LOST_RACE"),
        ("unpublished_groups.py", "GroupReason.REFUSED"),
        ("unpublished_groups.py", "GroupReason.TIME_LIMIT"),
        ("manifest_selection.py", "error.reason"),
    }


def test_every_sqlstate_in_the_code_is_described() -> None:
    in_code = {text for tree in sources_of("seeder").values() for text in texts_in(tree)} & SQLSTATES
    assert in_code <= CONDITIONS.keys()


def test_every_class_of_sqlstates_is_described() -> None:
    assert CLASSES.keys() == {state[:2] for state in SQLSTATES} - {"00", "01"}  # without success and warnings


@pytest.mark.parametrize(("package", "events"), [("seeder", LOG_EVENTS), ("data_pipeline", LOADING_EVENTS)])
def test_every_log_event_is_described(package: str, events: Mapping[str, object]) -> None:
    """An event is the second argument of a log function.

    In a partial of the function it is the third.
    """
    in_code = set()
    for tree in sources_of(package).values():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            function, *arguments = [call.func, *call.args[:3]]
            if ast.unparse(function) == "partial" and arguments:
                function, *arguments = arguments
            if ast.unparse(function) in LOG_FUNCTIONS:
                in_code |= {argument.value for argument in arguments[1:2] if isinstance(argument, ast.Constant)}
    assert in_code == events.keys()


def test_every_problem_of_the_doctor_is_described() -> None:
    """The page omits problems of a check not registered in apps.py."""
    in_code = {
        keyword.value.value
        for tree in (*sources_of("seeder").values(), *sources_of("data_pipeline").values())
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        if ast.unparse(call.func).endswith("_problem")
        for keyword in call.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
    }
    assert in_code == {problem.name for problem in doctor_problems()}


def test_every_system_check_is_described() -> None:
    trees = (*sources_of("seeder").values(), *sources_of("data_pipeline").values())
    in_code = {text for tree in trees for text in texts_in(tree)}
    check_ids = {text for text in in_code if re.fullmatch(r"(seeder|data_pipeline)\.[EWI]\d+", text)}
    assert check_ids == {*SYSTEM_CHECK_HINTS, *LOADING_HINTS} == SYSTEM_CHECK_MEANINGS.keys()


def test_every_error_of_the_loading_lane_has_a_next_step() -> None:
    assert {kind.__name__ for kind in loading_errors()} == NEXT_STEPS.keys()


def test_every_module_with_errors_of_the_loading_lane_is_described() -> None:
    in_code = {
        node.name
        for path, tree in sources_of("data_pipeline").items()
        if path.name.endswith("errors.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and "{" in (ast.get_docstring(node) or "")
    }
    assert in_code <= NEXT_STEPS.keys()


def test_runbook_has_every_alert() -> None:
    rules = (CHECKOUT / "deploy" / "monitoring" / "alerts.yaml").read_text("utf-8")
    alerts = set(re.findall(r"alert: (\w+)", rules))
    assert alerts == set(re.findall(r"^\| `(\w+)` \|.*\|.*\|$", runbook_section("Alerts"), re.MULTILINE))


def test_runbook_has_every_code_of_failed_loads() -> None:
    """A code is an attribute of an error, or is written by a statement."""
    codes = {
        statement.value.value
        for path, tree in sources_of("data_pipeline").items()
        if path.name != "upload_errors.py"  # they end no load
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "code"
        if isinstance(statement.value, ast.Constant)
    }
    for path in (CHECKOUT / "data_pipeline" / "postgres").glob("*.sql"):
        codes |= set(re.findall(r"error_code = '(\w+)'", path.read_text(encoding="utf-8")))
    assert {"too_many_rejects", "undone"} <= codes
    assert codes <= set(re.findall(r"`(\w+)`", runbook_section("A load fails")))


def test_runbook_has_every_reason_of_failed_calls() -> None:
    reasons = {
        keyword.value.value
        for path, tree in sources_of("data_pipeline").items()
        if "http" in path.parts
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        if ast.unparse(call.func) == "Failure"
        for keyword in call.keywords
        if keyword.arg == "reason" and isinstance(keyword.value, ast.Constant)
    }
    assert "tls" in reasons
    assert reasons <= set(re.findall(r"`(\w+)`", runbook_section("A call to another system fails")))


def runbook_section(title: str) -> str:
    """Return the text of a section."""
    return page_text("how-to/runbook.md").partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def texts_in(tree: ast.AST) -> Iterator[str]:
    """Yield every string literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
