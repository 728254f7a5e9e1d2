"""Which origins and addresses are allowed."""

import pytest

from data_pipeline.domain.outbound_hosts import HostPattern, HostRules, Origin, base_url_problem

ANY = "0.0.0.0"  # noqa: S104  # it is refused


def patterns(*texts: str) -> list[HostPattern]:
    found = [HostPattern.parse(text) for text in texts]
    return [one for one in found if one is not None]


RULES = HostRules(
    allowed=patterns("api.example.com", ".shop.test", "files.test:8443"),
    private=patterns("llm:8080", "metadata.test", "169.254.169.254"),
    base=Origin(scheme="http", host="old.test", port=80),
)


@pytest.mark.parametrize(
    ("scheme", "host", "port"),
    [
        ("https", "api.example.com", None),
        ("https", "API.example.com.", 443),
        ("https", "eu.shop.test", None),
        ("https", "shop.test", None),
        ("https", "files.test", 8443),
        ("http", "llm", 8080),
        ("http", "old.test", None),
    ],
)
def test_origin_is_allowed(scheme: str, host: str, port: int | None) -> None:
    assert RULES.problem(Origin.of(scheme=scheme, host=host, port=port)) is None


@pytest.mark.parametrize(
    ("scheme", "host", "port", "problem"),
    [
        ("http", "api.example.com", None, "http needs"),
        ("https", "api.example.com", 8443, "ALLOWED_HOSTS"),
        ("https", "api.example.com.evil.test", None, "ALLOWED_HOSTS"),
        ("https", "evilshop.test", None, "ALLOWED_HOSTS"),
        ("https", "old.test", None, "ALLOWED_HOSTS"),
        ("ftp", "api.example.com", None, "scheme is 'ftp'"),
        ("https", "", None, "ALLOWED_HOSTS"),
    ],
)
def test_origin_is_refused(scheme: str, host: str, port: int | None, problem: str) -> None:
    assert problem in str(RULES.problem(Origin.of(scheme=scheme, host=host, port=port)))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_address_is_allowed(address: str) -> None:
    assert RULES.address_problem(address, "api.example.com", 443) is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        ANY,
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fd00:ec2::254",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_internal_address_of_an_allowed_host_is_refused(address: str) -> None:
    assert RULES.address_problem(address, "api.example.com", 443) is not None


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "8.8.8.8"])
def test_private_host_may_have_private_addresses(address: str) -> None:
    assert RULES.address_problem(address, "llm", 8080) is None
    assert RULES.address_problem(address, "api.example.com", 8080) is not None or address == "8.8.8.8"


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "168.63.129.16", ANY, "ff02::1"])
def test_name_of_a_private_host_does_not_lead_to_a_metadata_service(address: str) -> None:
    assert RULES.address_problem(address, "metadata.test", 443) is not None


def test_metadata_service_is_allowed_by_its_literal_address() -> None:
    assert RULES.address_problem("169.254.169.254", "169.254.169.254", 80) is None


@pytest.mark.parametrize(
    "url", ["", "example.com", "https://", "https://u@h", "https://h?q=1", "https://h#f", "https://h:x", "https://[::1"]
)
def test_bad_base_url_has_a_problem(url: str) -> None:
    assert base_url_problem(url) is not None
