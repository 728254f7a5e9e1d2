"""An invalid request with --json is one JSON document on standard output, and exit code 2, of every command."""

import argparse
from collections.abc import Callable, Iterator

import pytest
from django.core.management import get_commands, load_command_class

from seeder.management.base_command import SeederCommand
from tests.conftest import CompletedCommand

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("empty_queue")

_UNKNOWN_VIEW, _UNKNOWN_LOAD = "reporting.nope", "999999"
# Arguments of commands that the parser accepts and the service refuses.
_REFUSED = {
    "accept_check": [[_UNKNOWN_VIEW, "--reason", "a reason"]],
    "waive_check": [[_UNKNOWN_VIEW, "--reason", "a reason"], ["a.b.c", "--reason", "a reason"]],
    "cancel_refresh": [["nope"], [""]],
    "capture_release_snapshot": [
        ["--table-name", _UNKNOWN_VIEW, "--release-tag", "1"],
        ["--agency", "nope", "--release-tag", "1"],
        ["--all", "--release-tag", ""],
    ],
    "check_freshness": [["--agency", "nope"]],
    "compare_release_snapshots": [["1", "2"], ["a", "b"], ["1", "2", "--table-name", _UNKNOWN_VIEW]],
    "explain_view": [[_UNKNOWN_VIEW], ["a.b.c"], [_UNKNOWN_VIEW, "--database", "nope"]],
    "freshness_link": [["nope"], ["demo", "--expires", "never"]],
    "prune_history": [["--days", "0"], ["--batch", "0"]],
    "refresh_agency": [["nope"], ["demo", "--select", ""]],
    "refresh_all": [["--select", "nope.*"]],
    "refresh_status": [["--agency", "nope"]],
    "refresh_table": [[_UNKNOWN_VIEW], ["a.b.c"]],
    "retry_run": [["nope"]],
    "send_notifications": [["--retry", "nope"]],
    "sync_checks": [["/nope.yaml"], ["/dev/null", "--database", "nope"]],
    "backfill": [
        ["/nope/{date}.csv", "--from", "2026-11-02", "--to", "2026-11-01"],
        ["/nope.csv", "--from", "2026-11-01", "--to", "2026-11-01"],
    ],
    "dead_letters": [[_UNKNOWN_LOAD, "--replay"]],
    "debug_bundle": [["/nope/bundle.zip"]],
    "infer_contract": [["/nope.csv"], ["nope://a"]],
    "load_file": [
        ["/nope.csv"],
        ["nope://a", "--table", "a"],
        ["/nope.csv", "--key", "x"],
        ["/nope.csv", "--dialect", "nope"],
    ],
    "partition_table": [["reporting.nope", "--by", "day", "--every", "month"]],
    "rejects": [[_UNKNOWN_LOAD], [_UNKNOWN_LOAD, "--replay", "/nope.csv"]],
    "replay": [[_UNKNOWN_LOAD]],
    "track_loads": [["reporting.nope"], ["a.b.c"]],
    "undo_load": [[_UNKNOWN_LOAD]],
    "verify_load": [[_UNKNOWN_LOAD]],
    "import_prices": [["--file", "/nope.xlsx", "--vendor", "acme"]],
    "logistics_etl": [["--max-rejects", "x"]],
    "refresh_fees": [["nope", "--max-rejects", "x"]],
}
# Every request is valid, or only an option can be wrong.
_NEVER_REFUSED = {
    "doctor",
    "load_status",
    "prune_loads",
    "queue_status",
    "recover_loads",
    "schedule_pipelines",
    "schedule_refreshes",
}


def commands_with_json() -> dict[str, SeederCommand]:
    found = {}
    for name, app in get_commands().items():
        command = None if app.startswith("django") else load_command_class(app, name)
        if isinstance(command, SeederCommand) and "json" in command.output_formats:
            found[name] = command
    return found


def parser_of(name: str) -> argparse.ArgumentParser:
    return commands_with_json()[name].create_parser("manage.py", name)


def bad_values(name: str) -> Iterator[list[str]]:
    """Yield arguments with a value that an option does not take."""
    for action in parser_of(name)._actions:
        if action.dest != "verbosity" and (action.choices is not None or action.type is not None):
            value = ["nope"] if action.option_strings else []
            yield [*action.option_strings[-1:], *value] if value else ["nope"]


def refused(ended: CompletedCommand) -> str:
    assert (ended.exit_code, ended.err) == (2, ""), (ended.exit_code, ended.out, ended.err)
    assert ended.document["exitCode"] == 2
    assert ended.document["detail"]
    return str(ended.document["code"])


@pytest.mark.parametrize("name", sorted(commands_with_json()))
def test_unknown_option_is_a_json_document(manage: Manage, name: str) -> None:
    assert refused(manage(name, "--nope", "--json")) == "bad_arguments"


@pytest.mark.parametrize(
    ("name", "arguments"), [(name, one) for name in sorted(commands_with_json()) for one in bad_values(name)]
)
def test_bad_value_is_a_json_document(manage: Manage, name: str, arguments: list[str]) -> None:
    refused(manage(name, *arguments, "--json"))


@pytest.mark.parametrize(("name", "arguments"), [(name, one) for name, lines in _REFUSED.items() for one in lines])
def test_refused_request_is_a_json_document(manage: Manage, name: str, arguments: list[str]) -> None:
    refused(manage(name, *arguments, "--json"))


def test_every_command_with_json_is_listed_here() -> None:
    assert commands_with_json().keys() == _REFUSED.keys() | _NEVER_REFUSED
