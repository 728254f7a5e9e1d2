"""The log `data_pipeline`: one line for each step of a load, after its row."""

import json
import logging
from contextlib import suppress

import pytest

from data_pipeline import compute_idempotency_key, process_once
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.http.call_context import calls_of
from seeder.signals import load_failed

pytestmark = pytest.mark.usefixtures("load_tables")


def load(name: str, *, fail: bool = False, rejected: int = 0) -> None:
    key = compute_idempotency_key(payload=name.encode())
    with process_once(source="test", payload_meta={"source_uri": name}, idempotency_key=key) as handle:
        if handle is not None:
            handle.target = "landing.numbers"
            handle.add_counts(LoadCounts(rows_in=3, rows_inserted=3 - rejected, rows_rejected=rejected))
        if fail:
            raise KeyError("a secret value")


def fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [record.data_pipeline for record in caplog.records if record.name == "data_pipeline"]  # type: ignore[attr-defined]


def events(caplog: pytest.LogCaptureFixture) -> list[object]:
    return [one["event"] for one in fields(caplog)]


def test_load_is_claimed_and_succeeds_with_its_counts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "data_pipeline")
    load("a.csv")
    claimed, succeeded = fields(caplog)
    assert claimed == {"event": "load_claimed", "load_id": 1, "source": "test", "source_uri": "a.csv", "attempt": 1}
    assert (succeeded["event"], succeeded["target"], succeeded["rows_inserted"]) == (
        "load_succeeded",
        "landing.numbers",
        3,
    )
    assert "rows_deleted" not in succeeded


def test_lines_of_a_load_have_the_id_of_the_request_that_caused_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "data_pipeline")
    with calls_of(request_id="r-1"):
        load("a.csv")
    assert [one["request_id"] for one in fields(caplog)] == ["r-1", "r-1"]


def test_duplicate_is_logged_as_skipped(caplog: pytest.LogCaptureFixture) -> None:
    load("a.csv")
    caplog.set_level(logging.INFO, "data_pipeline")
    load("a.csv")
    assert events(caplog) == ["load_skipped"]


def test_failure_is_a_warning_without_the_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "data_pipeline")
    with suppress(KeyError):
        load("a.csv", fail=True)
    [record] = caplog.records
    assert fields(caplog)[0]["reason"] == "KeyError"
    assert "secret" not in record.getMessage()


def test_load_with_rejects_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "data_pipeline")
    load("a.csv", rejected=1)
    assert [(one["event"], one["rows_rejected"]) for one in fields(caplog)] == [("load_succeeded", 1)]


def test_json_format_is_one_object(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_PIPELINE_LOG_FORMAT", "json")
    caplog.set_level(logging.INFO, "data_pipeline")
    load("a.csv")
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "data_pipeline"]
    assert [(one["event"], one["level"]) for one in lines] == [("load_claimed", "INFO"), ("load_succeeded", "INFO")]


def test_failed_load_sends_a_signal_whose_receiver_cannot_hide_the_error() -> None:
    received: list[dict[str, object]] = []

    def receive(signal: object, sender: object, **arguments: object) -> None:
        received.append(arguments)
        raise ValueError

    load_failed.connect(receive)
    try:
        for _ in range(2):
            with pytest.raises(KeyError):
                load("a.csv", fail=True)
    finally:
        load_failed.disconnect(receive)
    assert received == [{"load_id": 1, "source": "test", "attempt": one, "reason": "KeyError"} for one in (1, 2)]
