"""Dead letters of files: their states, their next tries, the command and the admin page."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django_q.models import OrmQ

from data_pipeline import load_file, process_once, tasks
from data_pipeline.correction_errors import NotReplayable, UnknownLetter
from data_pipeline.errors import PipelineError
from data_pipeline.models import LoadDeadLetter, LoadEvent, LoadLog
from data_pipeline.services.dead_letters import list_letters, replay_letter, replay_letters
from data_pipeline.services.load_replay import replay_load
from data_pipeline.services.tracking import track_loads
from data_pipeline.services.undoing import undo_load
from tests.conftest import CompletedCommand, sql
from tests.integration.data_pipeline.admin_scene import client_with

LETTERS, LOADS = "/admin/data_pipeline/loaddeadletter/", "/admin/data_pipeline/loadlog/"
VIEW = "data_pipeline.view_loaddeadletter"
BAD, GOOD = b"id,name\nx,Alpha\n", b"id,name\n1,Alpha\n"
Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def target(load_tables: None, empty_queue: None) -> Iterator[None]:
    User.objects.all().delete()
    sql("CREATE TABLE landing.orders (id bigint PRIMARY KEY, name text)")
    yield
    User.objects.all().delete()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that failed to load, as load 1."""
    path = tmp_path / "orders.csv"
    fail(path)
    return path


def fail(path: Path, content: bytes = BAD, *, force: bool = False) -> None:
    path.write_bytes(content)
    with pytest.raises(PipelineError):
        load_file(str(path), table="landing.orders", force=force)


def letter(load_id: int = 1) -> LoadDeadLetter:
    return LoadDeadLetter.objects.get(pk=load_id)


def test_failed_file_is_a_letter_with_its_next_try(file: Path) -> None:
    found = letter()
    assert (found.uri, found.target, found.state) == (file.as_uri(), "landing.orders", "open")
    assert (found.attempts, found.error_code) == (1, "too_many_rejects")
    assert found.next_try_at == found.updated_at + timedelta(minutes=15)
    assert replay_letter(1).error
    found.refresh_from_db()
    assert (found.attempts, found.next_try_at) == (2, found.updated_at + timedelta(minutes=30))


def test_newer_version_of_a_file_has_the_next_try(file: Path) -> None:
    fail(file, BAD + BAD)
    assert (letter(1).state, letter(1).next_try_at) == ("open", None)
    assert letter(2).next_try_at is not None


@pytest.mark.parametrize(("attempts", "wait"), [(5, timedelta(hours=4)), (6, None)])
def test_wait_doubles_until_an_operator_decides(attempts: int, wait: timedelta | None, file: Path) -> None:
    sql(f"UPDATE load_log SET attempts = {attempts}")
    found = letter()
    assert found.next_try_at == (None if wait is None else found.updated_at + wait)


def test_interrupted_load_is_due_at_once(file: Path) -> None:
    sql("UPDATE load_log SET error_code = 'interrupted'")
    assert [one.load_id for one in list_letters(only_due=True)] == [1]


def test_letter_waits_for_an_operator_after_a_later_load_of_its_table(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_bytes(GOOD)
    load_file(str(other), table="landing.orders")
    assert (letter().state, letter().next_try_at) == ("open", None)


def test_letter_is_resolved_by_a_load_of_the_corrected_file(file: Path) -> None:
    file.write_bytes(GOOD)
    load_file(str(file), table="landing.orders")
    assert (letter().state, letter().next_try_at) == ("resolved", None)
    assert list_letters() == []
    assert [one.load_id for one in list_letters(has_all_states=True)] == [1]


def test_undone_load_is_no_letter(file: Path) -> None:
    track_loads("landing.orders")
    file.write_bytes(GOOD)
    undo_load(load_file(str(file), table="landing.orders").load_id, actor="test")
    assert [one.pk for one in LoadDeadLetter.objects.all()] == [1]


def test_load_without_a_file_is_a_letter_that_its_connector_repeats() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        process_once(source="fees", payload_meta={}, idempotency_key="a" * 64),
    ):
        raise ZeroDivisionError
    found = letter()
    assert (found.uri, found.state, found.error_code, found.next_try_at) == (None, "open", "ZeroDivisionError", None)
    with pytest.raises(NotReplayable, match="Load 1 of fees cannot be replayed"):
        replay_load(1)
    assert str(replay_letter(1).error).startswith("Load 1 of fees")


def test_only_a_failed_load_is_replayed_as_a_letter(file: Path) -> None:
    file.write_bytes(GOOD)
    loaded = load_file(str(file), table="landing.orders")
    with pytest.raises(UnknownLetter, match="There is no dead letter 2"):
        replay_letter(loaded.load_id)


def test_failed_force_is_attempted_again_as_the_same_load(file: Path) -> None:
    sql("TRUNCATE load_log RESTART IDENTITY CASCADE")
    fail(file, force=True)
    assert replay_letter(1).error
    assert LoadLog.objects.get().attempts == 2


def test_due_letters_are_replayed_oldest_first(file: Path, tmp_path: Path, manage: Manage) -> None:
    fail(tmp_path / "second.csv")
    assert manage("dead_letters", "--replay", "--due").out == "No dead letters\n"
    sql("UPDATE load_log SET updated_at = updated_at - interval '1 day' * (3 - id)")
    file.write_bytes(GOOD)
    replayed = manage("dead_letters", "--replay", "--due")
    assert (replayed.exit_code, replayed.lines[0]) == (1, "load 1: resolved (load 3)")
    assert replayed.lines[1].startswith("load 2: 1 of 1 records were rejected")
    assert manage("dead_letters", "--due", "--dismiss", "1").exit_code == 2


def test_due_letter_is_left_if_its_table_was_loaded_meanwhile(file: Path, tmp_path: Path) -> None:
    fail(tmp_path / "second.csv")
    sql("UPDATE load_log SET updated_at = updated_at - interval '1 day'")
    later = tmp_path / "later.csv"
    later.write_bytes(GOOD)
    replayed = replay_letters(only_due=True, on_progress=lambda *_: load_file(str(later), table="landing.orders"))
    assert [one.load_id for one in replayed] == [1]
    assert letter(2).next_try_at is None


def test_letter_that_ends_meanwhile_does_not_end_the_replays(file: Path, tmp_path: Path) -> None:
    for name in ("second.csv", "third.csv"):
        fail(tmp_path / name)
    replayed = replay_letters(on_progress=lambda *_: sql("UPDATE load_log SET status = 'success' WHERE id = 2"))
    assert [one.load_id for one in replayed] == [1, 3]


def test_listed_letters_have_their_error(file: Path, manage: Manage) -> None:
    assert "too_many_rejects" in manage("dead_letters", "--json").out
    lines = manage("dead_letters").lines
    assert lines[0].startswith(f"load 1: {file.as_uri()}, open, attempts 1, next try ")
    assert lines[1].startswith("load 1: 1 of 1 records were rejected")


def test_dismissed_letter_is_audited_and_not_due(file: Path, manage: Manage) -> None:
    assert manage("dead_letters", "1", "--dismiss").out == "load 1: dismissed\n"
    assert (letter().state, letter().next_try_at) == ("dismissed", None)
    assert LoadEvent.objects.filter(load_id=1, event="dismissed", actor="dead_letters").exists()
    assert manage("dead_letters", "1", "--dismiss").exit_code == 1


def test_pruned_load_is_no_letter_any_more(file: Path, manage: Manage) -> None:
    sql("UPDATE load_log SET updated_at = updated_at - interval '9 days'")
    assert manage("prune_loads", "--days", "8", "--json").document["loads"] == 1
    assert not LoadDeadLetter.objects.exists()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, [2, 1]),
        ({"state": "open"}, [2]),
        ({"state": "resolved"}, [1]),
        ({"state": "dismissed"}, []),
        ({"source": "ingest.import_file"}, [2, 1]),
        ({"source": "other"}, []),
        ({"target": "landing.orders"}, [2, 1]),
        ({"q": "1"}, [1]),
        ({"q": "orders"}, []),
    ],
)
def test_list_of_letters_is_filtered(
    parameters: dict[str, str], expected: list[int], file: Path, tmp_path: Path
) -> None:
    fail(tmp_path / "second.csv")
    file.write_bytes(GOOD)
    load_file(str(file), table="landing.orders")
    page = client_with(VIEW).get(LETTERS, parameters)
    assert [row.pk for row in page.context["cl"].result_list] == expected


def test_selected_letters_are_queued_and_replayed_by_a_worker(file: Path) -> None:
    client = client_with(VIEW, "data_pipeline.load", "data_pipeline.view_loadlog", name="anna")
    OrmQ.objects.all().delete()
    file.write_bytes(GOOD)
    page = client.post(LETTERS, {"action": "replay", "_selected_action": ["1"]}, follow=True)
    assert "Replay of load 1 is queued as request 1." in page.content.decode()
    assert sql("SELECT count(*) FROM landing.orders") == [(0,)]
    assert tasks.import_file(*OrmQ.objects.get().task["args"])["result"] == "success"
    assert sql("SELECT id FROM landing.orders") == [(1,)]
    assert letter().state == "resolved"


def test_replay_of_letters_needs_its_permission_and_a_queue(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, loader = client_with(VIEW), client_with(VIEW, "data_pipeline.load", name="loader")
    assert "Replay the selected" not in reader.get(LETTERS).content.decode()
    reader.post(LETTERS, {"action": "replay", "_selected_action": ["1"]})
    assert not OrmQ.objects.exists()
    assert "Replay the selected" in loader.get(LETTERS).content.decode()
    monkeypatch.setattr("seeder.services.queue.dispatch.is_installed", lambda: False)
    assert "Replay the selected" not in loader.get(LETTERS).content.decode()


def test_page_of_a_letter_is_that_of_its_load(file: Path) -> None:
    path = f"{LETTERS}1/change/"
    assert client_with(VIEW).get(path).headers["Location"] == f"{LOADS}1/change/"
    assert client_with("data_pipeline.view_loadlog", name="other").get(path).status_code == 403


def test_letters_are_found_by_indexes_among_many_loads() -> None:
    sql("""
        INSERT INTO load_log (source, idempotency_key, status, target, payload_meta, succeeded_at)
        SELECT
            'load_file', lpad(i::text, 64, '0'), CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'success' END,
            'landing.orders', '{"source_uri": "file:///orders.csv", "options": {}}',
            CASE WHEN i % 100 > 0 THEN now() END
        FROM generate_series(1, 3000) AS i;
        ANALYZE load_log
    """)
    assert "Seq Scan" not in LoadDeadLetter.objects.filter(next_try_at__lte=Now()).explain()
