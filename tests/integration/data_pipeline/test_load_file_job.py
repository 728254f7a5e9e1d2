"""The job `load_file`: the command's arguments, output and exit codes, on a real database."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from data_pipeline import load_csv
from data_pipeline.cli.main import main
from data_pipeline.jobs import load_file
from data_pipeline.models import LoadLog
from data_pipeline.services.handler import ServiceHandler
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")


@pytest.fixture
def orders(load_tables: None, tmp_path: Path) -> Path:
    """A file for the table landing.orders."""
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, amount numeric)")
    path = tmp_path / "orders.csv"
    path.write_text("id,amount\n1,9.50\n2,20\n")
    return path


def exit_code(*arguments: object) -> int:
    """Run the console script. The command ends the process only if it fails."""
    try:
        return main(list(map(str, arguments)))
    except SystemExit as ended:
        return int(ended.code or 0)


def test_file_is_loaded_once(orders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "load_file", "--", orders, "--table", "landing.orders", "--json"]
    assert exit_code(*arguments) == 0
    [loaded] = json.loads(capsys.readouterr().out)["loads"]
    assert (loaded["status"], loaded["rowsInserted"], loaded["targetTable"]) == ("success", 2, "landing.orders")
    assert exit_code(*arguments) == 0
    assert json.loads(capsys.readouterr().out)["loads"][0]["status"] == "skipped"
    assert sql("SELECT count(*) FROM landing.orders") == [(2,)]


@pytest.mark.parametrize("source", [["--source", "{path}"], ["--source={path}"], ["{path}"]])
def test_module_form_runs_the_job(orders: Path, source: Sequence[str]) -> None:
    arguments = [one.format(path=orders) for one in source]
    assert load_csv.main([*arguments, "--table", "landing.orders"]) == 0
    assert LoadLog.objects.get().status == "success"


def test_module_form_without_a_path_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        load_csv.main(["--table", "landing.orders", "--source"])
    assert capsys.readouterr().err.startswith("python -m data_pipeline.load_csv: argument --source: expected")


def test_rejected_rows_are_exit_code_1(orders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    orders.write_text("id,amount\n1,many\n")
    assert exit_code("run", "load_file", "--", orders, "--table", "landing.orders") == 1
    assert sql("SELECT count(*) FROM landing.orders") == [(0,)]


@pytest.mark.parametrize("arguments", [["{path}", "--table", "landing.nowhere"], ["missing.csv"], ["--nosuch"], []])
def test_wrong_request_is_one_line_and_exit_code_2(
    orders: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str]
) -> None:
    assert exit_code("run", "load_file", "--", *(one.format(path=orders) for one in arguments)) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_injected_handler_gets_the_arguments() -> None:
    received = list[object]()

    def run_command(name: str, argv: Sequence[str]) -> int:
        received.extend([name, argv])
        return 1

    assert load_file.entrypoint(["a.csv", "--force"], handler=ServiceHandler(run_command=run_command)) == 1
    assert received == ["load_file", ["a.csv", "--force"]]
