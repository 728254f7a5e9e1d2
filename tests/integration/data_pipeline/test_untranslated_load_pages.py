"""Words of the pages of loads that are in no catalog. Each message is marked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_q.models import OrmQ
from pytest_django import Settings

from data_pipeline.models import LoadRequest
from data_pipeline.services.possible_actions import ActionName
from data_pipeline.services.undoing import undo_load
from data_pipeline.services.verifying import verify_load
from tests.conftest import sql
from tests.integration.data_pipeline.admin_scene import client_with, create_loads
from tests.pseudo_locale import mark_messages, page_text, words_outside

ADMIN = "/admin/data_pipeline/"
LISTS = ("loadlog", "loadreject", "loadrequest", "loaddeadletter")
VIEW = tuple(f"data_pipeline.view_{name}" for name in LISTS)
# What stays English, as regular expressions: names, stored texts, and what PostgreSQL says.
ALLOWED = (
    r"\d at \d|\S*\.csv|(landing|reporting)(\.\w+)?|file:\S+|\S+\.py recover_loads",
    r"\b[a-z]+(_[a-z]+)+\b|\b(operator|reader|SQLSTATE|UTC|price|orders)\b|\bingest\.\w+|\S+:\d+",
    r"\b(Delta|Zeta|today|extra)\b|\b9*x\w*|.Ep\S+",  # records, also hidden ones
    r".*(invalid input syntax|is not UTF-8|the header has|does not match the table).*",  # stored texts
    r"\b(invalid text representation|character not in repertoire|header refused|bad copy file format)\b",
    r"(?m)^(true|false|append|csv|.*\b[0-9a-f]{32,})$|\b(delimiter|quote)\b",  # values of metadata
    r"\bSearch\b",  # in pages of Django
)


@pytest.fixture(autouse=True)
def loads(
    load_tables: None, empty_queue: None, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, settings: Settings
) -> Iterator[None]:
    User.objects.all().delete()
    create_loads(tmp_path)
    mark_messages(settings, tmp_path_factory.mktemp("marked"))
    yield
    User.objects.all().delete()


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


def words_left(client: Client, paths: list[str]) -> dict[str, list[str]]:
    """Return the words outside of messages, by page."""
    left = {}
    for path in paths:
        page = client.get(f"{ADMIN}{path}").content.decode()
        assert "⟦" in page, path
        left[path] = words_outside(page_text(page), ALLOWED)
    return {path: words for path, words in left.items() if words}


@pytest.mark.slow
def test_pages_of_loads_have_only_translated_words(operator: Client) -> None:
    verify_load(2, actor="operator")
    undo_load(1, actor="operator")
    sql("UPDATE load_log SET status = 'skipped' WHERE id = 2")
    sql("UPDATE load_reject SET state = 'replayed', replayed_by_id = 1 WHERE id = 1")
    for state, error in (("queued", None), ("running", None), ("ended", "bad"), ("ended", None)):
        LoadRequest.objects.create(source_uri="file:///a", requested_by="operator", state=state, error_message=error)
    OrmQ.objects.all().delete()
    paths = [f"{name}/" for name in LISTS]
    paths += [f"{name}/?q=none" for name in ("loadlog", "loadrequest", "loaddeadletter")]
    paths += ["loadlog/?status=undone", "loadreject/?load=2", "loadreject/?load=2&state=open"]
    paths += [f"loadlog/{number}/change/" for number in (1, 2, 3, 99)]
    paths += [f"loadlog/{number}/{name}/" for number in (1, 2) for name in ActionName]
    paths += [f"{name}/1/change/" for name in ("loadreject", "loadrequest")]
    assert words_left(operator, paths) == {}

    sql("UPDATE load_log SET status = 'pending' WHERE id = 3")
    reader = client_with(*VIEW, name="reader")
    assert words_left(reader, ["loadlog/2/change/", "loadlog/3/change/", "loadreject/", "loadreject/1/change/"]) == {}


@pytest.mark.slow
def test_answers_to_actions_have_only_translated_words(
    operator: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers() -> Iterator[str]:
        actions = [(2, ActionName.VERIFY), (1, ActionName.UNDO), (1, ActionName.UNDO), (3, ActionName.VERIFY)]
        actions += [(1, ActionName.REPLAY), (2, ActionName.DISMISS), (3, ActionName.DISMISS)]
        for load_id, action in actions:
            answer = operator.post(f"{ADMIN}loadlog/{load_id}/{action}/", follow=True)
            [message] = answer.context["messages"]
            yield page_text(f'<div id="content">{message}')

    texts = list(answers())
    monkeypatch.setattr("seeder.services.queue.dispatch.is_installed", lambda: False)
    texts += answers()
    (tmp_path / "orders-damaged.csv").write_bytes(b"id,name,price\n")
    sql("UPDATE landing.orders SET price = 0")
    texts += answers()
    (tmp_path / "orders-damaged.csv").unlink()
    texts += answers()
    assert all("⟦" in text for text in texts)
    assert [text for text in texts if words_outside(text, ALLOWED)] == []
