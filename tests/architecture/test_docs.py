"""Links resolve, commands exist with their options, and examples work."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandError
from django.test import override_settings

from seeder import conf
from tests.architecture.markdown import DOCS, PAGES, code_blocks, heading_anchors, link_targets, page_text
from tests.conftest import CHECKOUT, sql

MENTIONING = [*PAGES, *sorted((CHECKOUT / "seeder").rglob("*.py"))]  # messages and hints name commands too


def test_links_of_all_pages_resolve() -> None:
    targets = [(page, target) for page in PAGES for target in link_targets(page_text(page))]
    assert [f"{page}: {target}" for page, target in targets if not resolves(page, target)] == []


def resolves(page: Path, target: str) -> bool:
    """Return if a link leads to an existing file and anchor.

    External links are not checked.
    """
    if "://" in target:
        return True
    file, _, anchor = target.partition("#")
    path = (page.parent / file).resolve() if file else page
    return path.exists() and (not anchor or anchor in heading_anchors(page_text(path)))


def test_every_page_is_in_the_index() -> None:
    indexed = {
        (index.parent / target.partition("#")[0]).resolve()
        for index in (DOCS / "README.md", DOCS / "decisions" / "README.md")
        for target in link_targets(page_text(index))
    }
    assert [page for page in DOCS.rglob("*.md") if page not in indexed and page != DOCS / "README.md"] == []


def test_source_files_in_the_data_flow_exist() -> None:
    named = re.findall(r"\b(?:domain|postgres|services)/[\w/]+\.py", page_text("explanation/data-flow.md"))
    assert named
    assert [name for name in named if not (CHECKOUT / "seeder" / name).exists()] == []


def test_documents_named_in_the_code_exist() -> None:
    sources = [path for folder in ("seeder", "tests", "deploy") for path in (CHECKOUT / folder).rglob("*.py")]
    named = {name for path in sources for name in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8"))}
    assert [name for name in sorted(named) if not (CHECKOUT / name).exists()] == []


def test_commands_in_docs_and_messages_exist_with_their_options() -> None:
    assert [f"{path}: {line}" for path, line, is_block in mentions() if not is_valid(line, parse=is_block)] == []


def test_commands_are_found_in_docs_and_messages() -> None:
    found = {(path.name, line, is_block) for path, line, is_block in mentions()}
    assert ("runbook.md", "recover_runs", True) in found
    assert ("errors.py", "check --database {alias}", False) in found


def mentions() -> Iterator[tuple[Path, str, bool]]:
    """Yield the file and text of each command, and if it is in a block."""
    for path in MENTIONING:
        content = path.read_text(encoding="utf-8")
        for block in code_blocks(content, "(?:sh|ini)"):
            for line in block.replace("\\\n", " ").splitlines():
                if "manage.py " in line.partition("#")[0]:
                    yield path, line.partition("manage.py ")[2], True
        spans = re.findall(r"`([^`]*)`", re.sub(r"^```.*?^```$", "", content, flags=re.MULTILINE | re.DOTALL))
        for span in spans if path.suffix == ".md" else re.findall(r"`(manage\.py [^`]*)`", content):
            if "manage.py " in span and "NAME" not in span.split():
                yield path, " ".join(span.partition("manage.py ")[2].replace('"', " ").split()), False
        for line in re.findall(r"reporting-seeder run ([^`\n]*)", content):
            if line[0].islower():
                yield path, line.replace(" -- ", " ", 1), False


def is_valid(line: str, *, parse: bool) -> bool:
    """Return if a command exists and knows the options of the line.

    If `parse` is true, all of its arguments are parsed.
    """
    name, *arguments = arguments_of(line)
    if name not in get_commands():
        return False
    parser = command(name).create_parser("manage.py", name)
    own = arguments[: arguments.index("--") if "--" in arguments else len(arguments)]
    options = [word.partition("=")[0] for word in own if word.startswith("--")]
    if not set(options) <= parser._option_string_actions.keys():
        return False
    if parse:
        try:
            parser.parse_args(arguments)
        except CommandError:
            return False
    return True


def arguments_of(line: str) -> list[str]:
    """Split a line up to the first shell operator."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a quotation that continues on the next line
        words = line.split()
    return words[: next((at for at, word in enumerate(words) if re.fullmatch(r"[|&>;]+", word)), len(words))]


def command(name: str) -> Any:
    app = get_commands()[name]
    return app if isinstance(app, BaseCommand) else load_command_class(app, name)


@pytest.mark.usefixtures("contract_tables")
@pytest.mark.parametrize(
    "statements",
    [block for page in ("how-to/runbook.md", "how-to/upgrade.md") for block in code_blocks(page_text(page), "sql")],
)
def test_sql_blocks_can_be_run(statements: str) -> None:
    """The blocks that create roles are tested in tests/faults/test_roles.py."""
    sql(statements)


def test_python_blocks_are_valid() -> None:
    for page in PAGES:
        for block in code_blocks(page_text(page), "python"):
            ast.parse(block, filename=str(page))


@pytest.mark.parametrize("page", ["how-to/release-snapshots.md", "reference/settings.md"])
def test_settings_example_is_accepted(page: str) -> None:
    examples = [block for block in code_blocks(page_text(page), "python") if "SEEDER = " in block]
    assert examples
    for example in examples:
        scope: dict[str, Any] = {}
        exec(example, scope)  # noqa: S102  # our own page
        with override_settings(SEEDER=scope["SEEDER"]):
            conf.load()


def test_profile_for_a_shared_server_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = [block for block in code_blocks(page_text("how-to/scale-out.md"), "sh") if "export SEEDER_" in block]
    given = dict(re.findall(r"^export SEEDER_(\w+)=(\S+)", block, re.MULTILINE))
    for name, value in given.items():
        monkeypatch.setenv(f"SEEDER_{name}", value)
    loaded = conf.load()
    assert {name: str(getattr(loaded, name.lower())).lower() for name in given} == given


def test_runbook_names_every_health_word() -> None:
    from seeder.domain.monitoring.health_status import ComponentStatus

    [section] = re.findall(r"^## Health words$(.*?)^## ", page_text("how-to/runbook.md"), re.MULTILINE | re.DOTALL)
    assert {str(word) for word in ComponentStatus} <= set(re.findall(r"`([\w-]+)`", section))
