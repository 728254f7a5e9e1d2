"""The tasks of the app, called directly and by a cluster of django-q2."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django_q.models import OrmQ, Task
from django_q.tasks import async_task, result

from seeder import tasks
from seeder.errors import BadName, BadRetention, BadTaskArgument
from seeder.models import ReleaseSnapshot
from tests.conftest import CHECKOUT, create_custom_manifest, process_environment, sql
from tests.old_rows import history_ids, insert_history_row

CAPTURE = "seeder.tasks.capture_release_snapshot"


@pytest.fixture
def view(contract_tables: None) -> str:
    create_custom_manifest("reporting.a", "SELECT 1")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT n, n %% 3 AS kind FROM generate_series(1, %s) AS n", 9)
    return "reporting.a"


@pytest.fixture
def cluster(view: str) -> Iterator[None]:
    OrmQ.objects.all().delete()
    Task.objects.all().delete()
    process = subprocess.Popen([sys.executable, "manage.py", "qcluster"], cwd=CHECKOUT, env=process_environment())
    yield
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


@pytest.mark.usefixtures("cluster")
@pytest.mark.slow
def test_tasks_in_a_cluster_return_results_or_fail_with_a_reason(view: str) -> None:
    options = {"release_version": "1.0", "top_values_columns": ["kind"]}
    for captured in (True, False):
        assert result(async_task(CAPTURE, view, "v1", **options), wait=30_000) == {"id": 1, "captured": captured}
    [row] = ReleaseSnapshot.objects.all()
    assert (row.release_version, row.row_count, row.top_values) == (
        "1.0",
        9,
        {"kind": [["0", 3], ["1", 3], ["2", 3]]},
    )
    for days in (30, 20, 10):
        insert_history_row(view, days)
    pruned = result(async_task("seeder.tasks.prune_history", 15), wait=30_000)
    assert pruned == {"historyRows": 2, "runs": 0, "queuedRefreshes": 0, "stoppedBy": None}
    assert len(history_ids()) == 1
    failed = async_task(CAPTURE, "reporting.aa", "v1")
    assert "The nearest one is 'reporting.a'" in result(failed, wait=30_000)
    assert not Task.objects.get(id=failed).success
    assert ReleaseSnapshot.objects.count() == 1


@pytest.mark.parametrize("days", [None, "15", True, 1.5])
def test_prune_task_rejects_an_invalid_number_of_days(view: str, days: Any) -> None:
    with pytest.raises(BadTaskArgument, match="task's argument days is"):
        tasks.prune_history(days)
    with pytest.raises(BadRetention):
        tasks.prune_history(0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"table_name": None}, "argument table_name is None"),
        ({"release_tag": 7}, "argument release_tag is 7"),
        ({"release_version": 1.5}, "argument release_version is 1.5"),
        ({"top_values_columns": "kind"}, "argument top_values_columns is 'kind', but its type must be list"),
        ({"top_values_columns": [3]}, "argument top_values_columns is 3"),
        ({"approximate": "yes"}, "argument approximate is 'yes', but its type must be bool"),
    ],
)
def test_task_argument_of_another_type_is_rejected(view: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(BadTaskArgument, match=message):
        tasks.capture_release_snapshot(**{"table_name": view, "release_tag": "v1"} | arguments)


def test_capture_task_without_a_view_captures_nothing(view: str) -> None:
    with pytest.raises(TypeError):
        tasks.capture_release_snapshot()  # type: ignore[call-arg]
    with pytest.raises(BadName):
        tasks.capture_release_snapshot("*", "v1")
    assert not ReleaseSnapshot.objects.exists()
