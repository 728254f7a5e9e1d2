"""Rules of this repository that no linter checks. Each test lists violations."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from seeder.domain.nouns import NOUNS
from tests.conftest import CHECKOUT
from tests.mutants.guards import GUARDS

SOURCES = sorted(
    path
    for folder in ("seeder", "data_pipeline", "settings", "demo", "embedded", "bench")
    for path in (CHECKOUT / folder).rglob("*.py")
    if ".envs" not in path.parts  # the compared tools are in their own environments
)
TESTS = sorted((CHECKOUT / "tests").rglob("*.py"))
MAX_LINES = 300  # lines
MAX_SUMMARY = 12  # words
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
NAMED_BY_DJANGO = {CHECKOUT / "embedded" / "backend" / "base.py", CHECKOUT / "settings" / "base.py"}
RAW_SQL = {"cursor", "raw", "driver_connection", "extra", "RawSQL", "execute_sql"}
RAW_HTTP = ("httpx2", "httpcore2", "httpx", "requests", "urllib3", "aiohttp", "urllib.request", "http.client")
HTTP_EXTRA = CHECKOUT / "data_pipeline" / "http" / "extra.py"
WEBHOOKS = CHECKOUT / "seeder" / "services" / "notifications" / "http_posts.py"  # seeder does not import that client
PAUSING = CHECKOUT / "tests" / "polling.py"


def calls(node: ast.AST) -> Iterator[str]:
    """Yield the last name of everything that is called in a tree."""
    for child in ast.walk(node):
        if isinstance(child, ast.Call):
            match child.func:
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    yield name


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def busy_loops(path: Path) -> Iterator[str]:
    """Yield `while` loops without a pause, which keep the processor busy."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.While) and all(isinstance(child, ast.Pass | ast.Assert) for child in node.body):
            yield f"{path}:{node.lineno}"


def test_rules_see_the_code() -> None:
    assert len(SOURCES) > 40
    assert "sleep" in calls(tree(CHECKOUT / "embedded" / "idle_watcher.py"))


def test_source_file_is_at_most_300_lines_long() -> None:
    assert [path for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES] == []


def test_source_file_has_no_vague_name() -> None:
    assert [path for path in SOURCES if path.stem in VAGUE and path not in NAMED_BY_DJANGO] == []


def summaries(path: Path) -> Iterator[str]:
    """Yield the first sentence of each docstring, except those of errors, which are messages."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if isinstance(node, ast.ClassDef) and "errors" in path.stem:
                continue
            paragraph = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
            yield re.split(r"(?<=[.:?!])\s", paragraph)[0]


def test_docstring_begins_with_a_short_sentence() -> None:
    sources = [path for path in SOURCES if path.is_relative_to(CHECKOUT / "data_pipeline")]
    found = [(path.name, one) for path in sources for one in summaries(path)]
    assert len(found) > 1000
    assert [(name, one) for name, one in found if len(one.split()) > MAX_SUMMARY or ";" in one] == []


def test_only_the_postgres_package_sends_raw_sql() -> None:
    apps = (CHECKOUT / "seeder", CHECKOUT / "data_pipeline")
    others = [path for path in SOURCES if any(map(path.is_relative_to, apps)) and "postgres" not in path.parts]
    assert [path for path in others if RAW_SQL & set(calls(tree(path)))] == []


def imported_names(path: Path) -> Iterator[str]:
    """Yield everything that a file imports, with its module, also inside functions."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_apps_call_other_systems_only_by_their_http_client() -> None:
    apps = (CHECKOUT / "seeder", CHECKOUT / "data_pipeline")
    raw = [
        (path, name)
        for path in SOURCES
        if any(map(path.is_relative_to, apps))
        for name in imported_names(path)
        if any(f"{name}.".startswith(f"{module}.") for module in RAW_HTTP)
    ]
    assert {path for path, _ in raw} == {HTTP_EXTRA, WEBHOOKS}


def test_tests_wait_neither_for_a_fixed_time_nor_without_a_pause() -> None:
    """`eventually` waits for a condition and pauses between its calls."""
    sleeping = [path for path in TESTS if path != PAUSING and {"sleep", "pause"} & set(calls(tree(path)))]
    assert (sleeping, [loop for path in TESTS for loop in busy_loops(path)]) == ([], [])


def test_every_mutant_applies_to_the_current_code() -> None:
    """Only `make mutants` runs the tests of mutants."""
    outdated = [
        mutant.name for mutant in GUARDS if (CHECKOUT / mutant.file).read_text(encoding="utf-8").count(mutant.old) != 1
    ]
    missing = [test for mutant in GUARDS for test in mutant.tests if not (CHECKOUT / test.partition("::")[0]).exists()]
    assert (outdated, missing) == ([], [])


def test_possessive_groups_have_an_alternative() -> None:
    """Python before 3.11.5 matches them wrongly (gh-106052)."""
    group = re.compile(r"\)(?:[*+?]|\{[0-9,]+\})\+")
    found = [
        f"{path}: {line.strip()}"
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        if group.search(line) and "HAS_POSSESSIVE_GROUPS" not in line
    ]
    assert found == []


def test_counted_nouns_of_templates_have_a_plural() -> None:
    templates = [*(CHECKOUT / "seeder" / "templates").rglob("*.html"), *(CHECKOUT / "data_pipeline").rglob("*.html")]
    nouns = {noun for path in templates for noun in re.findall(r"\|with_noun:['\"]([^'\"]+)", path.read_text("utf-8"))}
    assert nouns
    assert nouns <= NOUNS.keys()
