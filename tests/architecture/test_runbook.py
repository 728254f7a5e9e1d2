"""The runbook has every word that an operator can meet, and none that nobody says any more."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
from django.db import OperationalError
from psycopg.errors import _sqlcodes

from seeder.domain import admission_decisions, run_events
from seeder.domain.monitoring import health_status
from seeder.errors import ManifestError, SeederError
from seeder.postgres import sqlstates
from tests.architecture.markdown import code_span, page_text, table_rows
from tests.conftest import CHECKOUT

PAGE = "runbook.md"
SOURCES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((CHECKOUT / "seeder").rglob("*.py"))}
SQLSTATES = {state for state in _sqlcodes if re.fullmatch("[0-9A-Z]{5}", state)}
YES_OR_NO = {True: "yes", False: "no"}


def leaves(kind: type[SeederError]) -> Iterator[type[SeederError]]:
    """The errors that are raised: all that nothing is derived from."""
    below = [one for one in kind.__subclasses__() if one.__module__ == kind.__module__]
    if not below:
        yield kind
    for one in below:
        yield from leaves(one)


def texts(*nodes: ast.AST) -> Iterator[str]:
    """Whatever texts there are inside, each once, with … for what is filled in."""
    for node in nodes:
        match node:
            case ast.JoinedStr(values=parts):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
            case ast.Constant(value=str(value)):
                yield value
            case _:
                yield from texts(*ast.iter_child_nodes(node))


def said(path: str) -> set[str]:
    """The sentences that a file's functions return or yield."""
    ends = [node.value for node in ast.walk(SOURCES[CHECKOUT / path]) if isinstance(node, ast.Return | ast.Yield)]
    return {one for end in ends if isinstance(end, ast.JoinedStr | ast.Constant) for one in texts(end) if " " in one}


def known(path: Path) -> set[str]:
    """The SQLSTATEs that a file decides by."""
    return SQLSTATES.intersection(texts(SOURCES[path]))


def refused(state: str) -> OperationalError:
    """As Django raises what PostgreSQL has answered."""
    error, cause = OperationalError(), psycopg.DatabaseError()
    cause.sqlstate = state
    error.__cause__ = cause
    return error


def meaning(state: str) -> list[str]:
    error = refused(state)
    return [YES_OR_NO[sqlstates.is_transient(error)], YES_OR_NO[sqlstates.to_failure(error).is_server_fault]]


def conditions() -> dict[str, list[str]]:
    """By SQLSTATE, what the table says of it."""
    return {state: [name, *others] for name, state, *others in table_rows(PAGE, "reason", "SQLSTATE")}


def test_every_reason_of_our_own_is_there_and_no_other() -> None:
    of_manifests = {kind.reason for kind in leaves(ManifestError) if issubclass(kind, ManifestError)}
    ours = {*admission_decisions.HoldReason, *of_manifests, sqlstates.LOST_CONNECTION}
    assert {code_span(reason) for reason, *_ in table_rows(PAGE, "reason", "what happened")} == ours


def test_a_failure_s_reason_is_one_of_these_or_postgresql_s_own() -> None:
    """Whoever writes a word of another origin has to say so here, and to collect it above."""
    given = {
        (path.name, ast.unparse(keyword.value))
        for path, tree in SOURCES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"Failure", "RejectedManifest"}
        for keyword in node.keywords
        if keyword.arg == "reason"
    }
    assert given == {
        ("sqlstates.py", "_condition_name(state)"),
        ("view_refresh.py", "hold.reason"),
        ("manifest_selection.py", "error.reason"),
    }


def test_every_condition_that_the_code_decides_by_is_there() -> None:
    assert set().union(*map(known, SOURCES)) <= conditions().keys()


def test_what_is_said_of_a_condition_is_what_the_code_does() -> None:
    for state, (name, again, server, *_) in conditions().items():
        assert [code_span(name), again, server] == [sqlstates.to_failure(refused(state)).reason, *meaning(state)]


def test_every_class_of_conditions_is_there_and_what_is_said_of_it_is_true() -> None:
    """Of a condition that is named nowhere."""
    classes = {name: others for name, _, *others in table_rows(PAGE, "class", "what it is about")}
    # Success and warnings, which are no errors.
    assert classes.keys() == {state[:2] for state in SQLSTATES} - {"00", "01"}
    for name, (again, server, _) in classes.items():
        assert [again, server] == meaning(f"{name}ZZZ"), name


def test_every_error_is_there_with_the_beginning_of_its_message_and_no_other() -> None:
    errors = {kind.__name__: kind for kind in leaves(SeederError)}
    written = {code_span(name): beginning for name, beginning, _ in table_rows(PAGE, "error", "message begins")}
    assert written.keys() == errors.keys()
    for name, beginning in written.items():
        message = " ".join(re.sub(r"\{.*?\}", "…", str(errors[name].__doc__)).split())
        assert message.startswith(beginning.removesuffix(" …")), name
        assert len(beginning.split()) > 2, name


def test_every_system_check_is_there_and_no_other() -> None:
    ids = {
        found for tree in SOURCES.values() for one in texts(tree) for found in re.findall(r"^seeder\.[EWI]\d+$", one)
    }
    assert {code_span(name) for name, *_ in table_rows(PAGE, "id", "what it means")} == ids


def test_what_else_is_said_is_there_and_somebody_says_it() -> None:
    everything = {" ".join(one.split()) for tree in SOURCES.values() for one in texts(tree)}
    written = [
        code_span(first)
        for header in ("begins with", "says")
        for first, *_ in table_rows(PAGE, header, "what it means")
    ]
    for one in written:
        assert any(one.strip() in sentence for sentence in everything), one
    must = {one for one in everything if one.startswith(("interrupted: ", "given up: ", "nothing: "))}
    for path in ("domain/result_notes.py", "services/run/preconditions.py", "services/queue/queue_problems.py"):
        must |= said(f"seeder/{path}")
    for sentence in must:
        assert any(one in sentence for one in written), sentence


def test_every_line_of_the_log_that_somebody_should_read_is_there() -> None:
    """Those that are never more than information need nobody to do anything."""
    told = {
        event: ast.unparse(level)
        for tree in SOURCES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"log_event", "log.log_event", "event_logger.log_event"}
        for level, event in zip(node.args, (texts(*node.args[1:2])), strict=False)
    }
    grave = {event for event, level in told.items() if not level.endswith("INFO") or " " in level}
    assert {code_span(event) for event, *_ in table_rows(PAGE, "event", "what it means")} == grave
    noticed = next(cells for cells in table_rows(PAGE, "event", "what it means") if cells[0] == "`noticed`")
    assert {*re.findall("`(.*?)`", noticed[1])} == {*run_events.WarningKind}


def test_every_word_of_the_health_endpoint_is_there() -> None:
    """What needs nothing to be done is named above the table."""
    [fine] = re.findall(r"503 where(.*?)need nothing", page_text(PAGE), re.DOTALL)
    assert {code_span(word) for word, *_ in table_rows(PAGE, "word", "of")} | {*re.findall("`(.*?)`", fine)} == {
        *health_status.ComponentStatus
    }


def test_every_exit_code_is_there() -> None:
    assert [number for number, *_ in table_rows(PAGE, "code", "meaning")] == ["0", "1", "2", "130", "143"]


def test_no_entry_leaves_anybody_without_an_answer() -> None:
    tables: list[tuple[str, ...]] = [("reason", "what happened"), ("reason", "SQLSTATE"), ("class", "what it is about")]
    tables += [("error", "message begins"), ("id", "what it means"), ("begins with", "what it means"), ("says",)]
    tables += [("event",), ("word",)]
    for header in tables:
        for cells in table_rows(PAGE, *header):
            assert all(cells), cells
