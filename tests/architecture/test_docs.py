"""Documentation that has to be complete, and right where it can be held against the code."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandError

from seeder.conf import Settings
from seeder.domain.doctor.diagnosis import Problem
from tests.architecture.markdown import DOCS, PAGES, code_blocks, code_span, heading_anchors, page_text, table_rows
from tests.conftest import CHECKOUT, sql

SETTINGS = table_rows("settings.md", "setting", "default", "unit", "effect")
BY_ENDING = {"_MS": "ms", "_SECONDS": "s", "_HOURS": "h", "_MB": "MB"}
SAID = [*PAGES, *sorted((CHECKOUT / "seeder").rglob("*.py"))]  # messages and hints name commands, too


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(CHECKOUT)) for path in paths]


def test_every_setting_is_documented_with_its_default() -> None:
    documented = {code_span(name): default.strip("`") for name, default, *_ in SETTINGS}
    defaults = {setting.name.upper(): getattr(Settings(), setting.name) for setting in fields(Settings)}
    assert documented == {name: str(value).lower() for name, value in defaults.items()}


@pytest.mark.parametrize(
    ("name", "unit", "effect"), [(code_span(one), unit, effect) for one, _, unit, effect in SETTINGS]
)
def test_a_setting_has_a_unit_and_an_effect(name: str, unit: str, effect: str) -> None:
    [setting] = [one for one in fields(Settings) if one.name.upper() == name]
    of_name = next((unit for ending, unit in BY_ENDING.items() if name.endswith(ending)), None)
    is_flag = isinstance(getattr(Settings(), setting.name), bool)
    assert unit == (of_name or ("true, false" if is_flag else unit or "missing"))
    assert len(effect.split()) > 3
    assert ("Not from the environment" in effect) is not setting.metadata["environment"]


def commands(path: Path) -> Iterator[tuple[str, bool]]:
    """What stands behind `manage.py`, and whether that is to be pasted: in a block, not in a sentence."""
    markdown = path.read_text(encoding="utf-8")
    for block in code_blocks(markdown, "(?:sh|ini)"):
        for line in block.replace("\\\n", " ").splitlines():
            if "manage.py " in line.partition("#")[0]:
                yield line.partition("manage.py ")[2], True
    spans = re.findall(r"`([^`]*)`", re.sub(r"^```.*?^```$", "", markdown, flags=re.MULTILINE | re.DOTALL))
    for span in spans if path.suffix == ".md" else re.findall(r"`(manage\.py [^`]*)`", markdown):
        if "manage.py " in span:
            yield " ".join(span.partition("manage.py ")[2].replace('"', " ").split()), False


def jobs(path: Path) -> Iterator[tuple[str, bool]]:
    """The same of `reporting-seeder run`, as `manage.py` would be asked to."""
    for line in re.findall(r"reporting-seeder run ([^`\n]*)", path.read_text(encoding="utf-8")):
        if line[0].islower():
            yield line.replace(" -- ", " ", 1), False


def arguments(line: str) -> list[str]:
    """Up to where the shell takes over."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a quotation that goes on in the next line
        words = line.split()
    return words[: next((at for at, word in enumerate(words) if re.fullmatch(r"[|&>;]+", word)), len(words))]


def command(name: str) -> Any:
    app = get_commands()[name]
    return app if isinstance(app, BaseCommand) else load_command_class(app, name)


@pytest.mark.parametrize("path", SAID, ids=names(SAID))
def test_every_command_that_is_named_exists_with_its_options(path: Path) -> None:
    for line, to_paste in (*commands(path), *jobs(path)):
        name, *given = arguments(line)
        assert name in get_commands(), line
        parser = command(name).create_parser("manage.py", name)
        for word in given[: given.index("--") if "--" in given else len(given)]:
            if word.startswith("--"):
                assert word.partition("=")[0] in parser._option_string_actions, line
        if to_paste:
            try:
                parser.parse_args(given)
            except CommandError as error:
                pytest.fail(f"manage.py {line}: {error}")


def test_there_are_commands_to_look_at() -> None:
    assert ("recover_runs", True) in set(commands(CHECKOUT / "docs" / "runbook.md"))
    assert ("check --database {alias}", False) in set(commands(CHECKOUT / "seeder" / "errors.py"))


@pytest.mark.parametrize("path", PAGES, ids=names(PAGES))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            file, _, anchor = target.partition("#")
            there = (path.parent / file).resolve() if file else path
            assert there.exists(), target
            assert not anchor or anchor in heading_anchors(page_text(there)), target


@pytest.mark.usefixtures("contract_tables")
@pytest.mark.parametrize(
    "statements", [one for page in ("runbook.md", "upgrading.md") for one in code_blocks(page_text(page), "sql")]
)
def test_what_is_given_to_paste_can_be_run(statements: str) -> None:
    """That of the roles is tried where there is a server to make roles in."""
    sql(statements)


@pytest.mark.parametrize("folder", [DOCS, DOCS / "decisions"], ids=names([DOCS, DOCS / "decisions"]))
def test_every_page_is_in_the_list_of_its_folder(folder: Path) -> None:
    index = folder / "README.md" if folder != DOCS else CHECKOUT / "README.md"
    linked = {(index.parent / target).resolve() for target in re.findall(r"\]\(([^)\s#]+)\)", page_text(index))}
    assert {page for page in folder.glob("*.md") if page != index} <= linked


def test_every_event_of_the_log_is_documented() -> None:
    told = set()
    for path in (CHECKOUT / "seeder").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            # tell(LEVEL, "event", …), also as partial(tell, LEVEL, "event", …)
            if isinstance(node, ast.Call) and "log_event" in {
                ast.unparse(one) for one in (node.func, *node.args[:1])
            } | {ast.unparse(node.func).removeprefix("log.").removeprefix("event_logger.")}:
                told |= {one.value for one in node.args[1:3] if isinstance(one, ast.Constant)}
    events = {word for word in told if isinstance(word, str)}
    assert len(events) > 15
    documented = table_rows("watching.md", "event", "level", "facts besides")
    assert {word for row, *_ in documented for word in re.findall(r"`(\w+)`", row)} == events


def test_every_word_of_the_doctor_is_documented_with_its_level() -> None:
    documented = [
        (code_span(word), level)
        for word, level, *_ in table_rows("doctor.md", "word", "level", "what it means", "what to do")
    ]
    assert documented == [(str(word), str(word.level)) for word in Problem]
