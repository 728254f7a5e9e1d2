"""Server-side request forgery: only allowed hosts, and only checked addresses of them."""

import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace

import httpx2
import pytest

from data_pipeline.domain.outbound_hosts import HostPattern, HostRules
from data_pipeline.http_errors import AddressRefused, BadRequest, CallFailed, UrlRefused
from tests.conftest import CHECKOUT
from tests.http_calls import KINDS, Caller, policy_for
from tests.scripted_http import answer, serve

pytestmark = pytest.mark.parametrize("kind", KINDS)
CERTIFICATE = CHECKOUT / "tests" / "certificates" / "shop.test.pem"  # for shop.test, signed by itself


def caller_for(kind: str, port: int, *addresses: Sequence[str], private: bool = True, scheme: str = "http") -> Caller:
    """Return a caller of the host shop.test. Its resolver returns each of the answers once."""
    pattern, answers = HostPattern(host="shop.test", port=port), iter(addresses)
    hosts = HostRules(private=[pattern]) if private else HostRules(allowed=[pattern])
    policy = replace(policy_for(f"{scheme}://shop.test:{port}"), hosts=hosts, attempts=1)
    return Caller(kind=kind, policy=policy, resolve=lambda *_: next(answers))


def test_connection_is_made_to_the_resolved_address_with_the_name_in_the_request(kind: str) -> None:
    with serve(answer()) as server:
        caller_for(kind, server.port, ["127.0.0.1"]).request("GET", "/fees")
    assert server.requests[0].headers["host"] == f"shop.test:{server.port}"


def test_next_address_is_tried_if_one_does_not_answer(kind: str) -> None:
    with serve(answer()) as server:
        caller_for(kind, server.port, ["127.0.0.2", "127.0.0.1"]).request("GET", "/fees")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1"], ["8.8.8.8", "192.168.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254"], ["fd00::1"]],
)
def test_host_with_an_internal_address_is_refused(addresses: Sequence[str], kind: str) -> None:
    caller = caller_for(kind, 443, addresses, private=False, scheme="https")
    with pytest.raises(AddressRefused, match=r"shop.test cannot be requested: its address .* is not public"):
        caller.request("GET", "/fees")
    assert caller.counted()["calls"] == {"refused": 1}


def test_second_answer_of_the_name_server_has_no_effect(kind: str) -> None:
    """The address is checked and used; the name is not resolved again between the two."""
    with serve(answer()) as server:
        caller_for(kind, server.port, ["127.0.0.1"], ["10.0.0.1"]).request("GET", "/fees")
    assert len(server.requests) == 1


def test_answer_that_changes_before_the_next_connection_is_checked_again(kind: str) -> None:
    with serve(answer(302, location="/again")) as server:
        caller = caller_for(kind, server.port, ["127.0.0.1"], ["169.254.169.254"])
        with pytest.raises(AddressRefused, match="it is link-local or a metadata service"):
            caller.request("GET", "/fees")
    assert len(server.requests) == 1


@pytest.mark.parametrize("host", ["2130706433", "017700000001", "0x7f.1", "127.1"])
def test_other_forms_of_a_loopback_address_are_refused(host: str, kind: str) -> None:
    policy = replace(policy_for("https://shop.test"), hosts=HostRules())
    caller = Caller(kind=kind, policy=policy)
    with pytest.raises(UrlRefused, match="ALLOWED_HOSTS"):
        caller.request("GET", f"https://{host}/")
    caller.policy = replace(policy, hosts=HostRules(allowed=[HostPattern(host=host)]))
    with pytest.raises(AddressRefused, match="127.0.0.1"):
        caller.request("GET", f"https://{host}/")


def test_credentials_in_a_url_are_refused_and_not_shown(kind: str) -> None:
    caller = Caller(kind=kind, policy=policy_for("https://shop.test"))
    with pytest.raises(UrlRefused, match="https://shop.test/ cannot be requested for shop: it has credentials"):
        caller.request("GET", "https://user:secret@shop.test/?key=secret")


def test_unknown_name_is_not_tried_again(kind: str) -> None:
    def fail(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    caller = Caller(kind=kind, policy=policy_for("http://shop.test"), resolve=fail)
    with pytest.raises(CallFailed, match="after 1 attempt: the host's name was not resolved: Name or service"):
        caller.request("GET", "/fees")


def test_name_server_that_fails_is_tried_again(kind: str) -> None:
    def fail(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    caller = Caller(kind=kind, policy=policy_for("http://shop.test"), resolve=fail)
    with pytest.raises(CallFailed, match="after 4 attempts"):
        caller.request("GET", "/fees")


def tls_server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


def test_tls_verifies_the_name_and_not_the_address(kind: str) -> None:
    names = list[str | None]()
    context = tls_server()
    context.sni_callback = lambda _connection, name, _context: names.append(name)
    with serve(answer(body=b"1"), tls=context) as server:
        caller = caller_for(kind, server.port, ["127.0.0.1"], scheme="https")
        caller.changes = {"ssl_context": trusting}
        assert caller.request("GET", "/fees").content == b"1"
    assert names == ["shop.test"]


def test_certificate_of_another_name_is_refused_without_another_attempt(kind: str) -> None:
    with serve(answer(), tls=tls_server()) as server:
        caller = Caller(kind=kind, policy=policy_for(server.url), changes={"ssl_context": trusting})
        with pytest.raises(CallFailed, match="after 1 attempt: the server's certificate was refused: IP address"):
            caller.request("GET", "/fees")


def test_certificate_of_an_unknown_authority_is_refused(kind: str) -> None:
    with serve(answer(), tls=tls_server()) as server:
        caller = caller_for(kind, server.port, ["127.0.0.1"], scheme="https")
        with pytest.raises(CallFailed, match="the server's certificate was refused: self-signed"):
            caller.request("GET", "/fees")


def test_certificates_of_the_environment_are_trusted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with serve(answer(), tls=tls_server()) as server:
        caller = caller_for(kind, server.port, ["127.0.0.1"], scheme="https")
        caller.changes = {"ssl_context": httpx2.create_ssl_context}  # the shared one may be loaded already
        assert caller.request("GET", "/fees").status_code == 200


def test_proxy_of_the_environment_is_not_used(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serve(answer()) as server:
        Caller(kind=kind, policy=policy_for(server.url)).request("GET", "/fees")
    assert len(server.requests) == 1


def test_malformed_address_is_refused(kind: str) -> None:
    caller = Caller(kind=kind, policy=policy_for("https://shop.test"))
    with pytest.raises(BadRequest, match="its URL, a parameter or a header is malformed"):
        caller.request("GET", "https://0177.0.0.1/")
