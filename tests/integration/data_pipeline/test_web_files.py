"""Loads of files from web servers: versions, faults, and what is refused."""

import socket
from collections.abc import Callable, Iterator

import pytest

from data_pipeline import load_file
from data_pipeline.artefact_errors import ArtefactMissing, SourceChanged, VersionUnknown
from data_pipeline.http_errors import CallError, CallFailed, UnexpectedStatus, UrlRefused
from data_pipeline.models import LoadLog
from tests.conftest import sql
from tests.integration.data_pipeline.metric_samples import samples
from tests.scripted_http import ScriptedServer, Step, answer, head, raw, serve

CSV = b"id,amount\n1,9.50\n2,20\n"
Serve = Callable[..., ScriptedServer]


@pytest.fixture
def serving(load_tables: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serve steps, and allow the server. The table landing.orders exists."""
    sql("CREATE TABLE landing.orders (id integer, amount numeric)")
    monkeypatch.setenv("FILES_BACKOFF_BASE_S", "0")
    monkeypatch.setenv("FILES_BACKOFF_JITTER_S", "0")
    running = []

    def start(*steps: Step) -> ScriptedServer:
        manager = serve(*steps)
        server = manager.__enter__()
        running.append(manager)
        monkeypatch.setenv("DATA_PIPELINE_PRIVATE_HOSTS", server.url.removeprefix("http://"))
        return server

    yield start
    for manager in running:
        manager.__exit__(None, None, None)


def version(etag: str = '"1"', size: int = len(CSV), **headers: str) -> Step:
    """Answer HEAD."""
    return raw(head(200, content_length=str(size), etag=etag, **headers))


def content(etag: str = '"1"', body: bytes = CSV) -> Step:
    return answer(body=body, etag=etag)


def load(server: ScriptedServer, path: str = "/orders.csv") -> str:
    return str(load_file(f"{server.url}{path}", table="landing.orders").status)


def test_file_is_loaded_once_and_a_known_version_is_not_read(serving: Serve) -> None:
    server = serving(version(), content(), version())
    statuses = [load(server, "/orders.csv?X-Amz-Signature=secret"), load(server, "/orders.csv?X-Amz-Signature=other")]
    assert statuses == ["success", "skipped"]
    assert [one.method for one in server.requests] == ["HEAD", "GET", "HEAD"]
    assert server.requests[1].headers["if-match"] == '"1"'
    assert sql("SELECT count(*), sum(amount)::text FROM landing.orders") == [(2, "29.50")]
    assert "secret" not in str(LoadLog.objects.values())
    assert samples()["external_http_requests_total", "files", "success"] == 3


def test_new_version_is_loaded(serving: Serve) -> None:
    server = serving(version(), content(), version('"2"'), content('"2"'))
    assert [load(server), load(server)] == ["success", "success"]


@pytest.mark.parametrize(
    "step", [content('"2"'), answer(412), content("")], ids=["other etag", "precondition failed", "no etag"]
)
def test_version_that_changes_before_it_is_read_is_refused(step: Step, serving: Serve) -> None:
    server = serving(version(), step)
    with pytest.raises(SourceChanged, match="the server has another version now"):
        load(server)
    assert sql("SELECT * FROM landing.orders") == []


def test_file_that_is_cut_off_leaves_nothing_and_can_be_repeated(serving: Serve) -> None:
    start = head(content_length=str(len(CSV)), etag='"1"') + CSV[:18]
    server = serving(version(), raw(start), version(), content())
    with pytest.raises(CallFailed, match=r"GET http://.*/orders.csv of files failed after 1 attempt: .* was cut off"):
        load(server)
    assert sql("SELECT * FROM landing.orders") == []
    assert load(server) == "success"


def test_connection_that_is_lost_in_the_middle_is_an_error_of_the_load(serving: Serve) -> None:
    rows = b"".join(b"%d,1\n" % number for number in range(200_000))
    body = b"id,amount\n" + rows

    def lose(connection: socket.socket) -> bool:
        connection.sendall(head(content_length=str(len(body)), etag='"1"') + body[:1_000_000])
        return False

    server = serving(version(size=len(body)), lose)
    with pytest.raises(CallFailed, match="cut off"):
        load(server)
    assert (sql("SELECT * FROM landing.orders"), LoadLog.objects.get().status) == ([], "failed")


@pytest.mark.parametrize(
    ("steps", "error", "words"),
    [
        ((answer(404),), ArtefactMissing, "There is no file http://.*/orders.csv"),
        ((answer(403),), UnexpectedStatus, "status 403 after 1 attempt"),
        ((answer(503),), UnexpectedStatus, "status 503 after 4 attempts"),
        ((raw(head(etag='"1"')),), VersionUnknown, "does not name its size"),
        ((raw(head(content_length="9")),), VersionUnknown, r"does not name its version \(ETag or Last-Modified\)"),
        ((version(content_encoding="gzip"),), VersionUnknown, "does not name its size"),
        ((version(), answer(404)), ArtefactMissing, "There is no file"),
    ],
)
def test_file_that_cannot_be_read_is_one_error(
    steps: tuple[Step, ...], error: type[Exception], words: str, serving: Serve
) -> None:
    server = serving(*steps)
    with pytest.raises(error, match=words) as raised:
        load(server, "/orders.csv?key=secret")
    assert "secret" not in str(raised.value)


def test_content_can_be_the_identity_if_the_server_names_no_version(
    serving: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_PIPELINE_KEY_BY", "content")
    server = serving(raw(head(content_length=str(len(CSV)))), answer(body=CSV), answer(body=CSV))
    assert load(server) == "success"


@pytest.mark.parametrize("url", ["https://files.example.com/a.csv", "http://127.0.0.1:1/a.csv", "HTTPS://10.0.0.1/a"])
def test_other_hosts_are_refused(url: str, load_tables: None) -> None:
    with pytest.raises(UrlRefused, match="ALLOWED_HOSTS"):
        load_file(url, table="landing.orders")


def test_credentials_in_a_url_are_refused(load_tables: None) -> None:
    with pytest.raises(CallError, match="it has credentials") as raised:
        load_file("https://user:secret@files.example.com/a.csv", table="landing.orders")
    assert "secret" not in str(raised.value)
