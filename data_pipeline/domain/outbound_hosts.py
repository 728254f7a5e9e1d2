"""Which hosts and addresses HTTP requests may go to: protection against server-side request forgery (SSRF).

A host must be allowed by its name, and every address of it must be public, unless its name is also a private host. So a
name whose owner changes its address to one of the internal network is refused, too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from seeder.texts import Text

DEFAULT_PORTS = {"https": 443, "http": 80}
_PATTERN = re.compile(r"(\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII)
_NAT64, _GLOBAL_UNICAST = ip_network("64:ff9b::/96"), ip_network("2000::/3")
# Metadata services of clouds at addresses that are public otherwise, and networks that Python calls public.
_INTERNAL = (ip_network("168.63.129.16/32"), ip_network("192.0.0.0/24"), ip_network("192.88.99.0/24"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Scheme, host and port of a URL."""

    scheme: str
    host: str  # in lower case, IPv6 without brackets
    port: int

    @classmethod
    def of(cls, *, scheme: str, host: str, port: int | None) -> "Origin":
        return cls(scheme=scheme, host=host.lower().removesuffix("."), port=port or DEFAULT_PORTS.get(scheme, 0))


@dataclass(frozen=True, kw_only=True, slots=True)
class HostPattern:
    """A host, or with a dot first a host and its subdomains. Without a port, the default port of the scheme."""

    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> "HostPattern | None":
        """Return the pattern, or None if the text is not one."""
        if (match := _PATTERN.fullmatch(text.lower())) is None:
            return None
        return cls(host=match[1].strip("[]"), port=int(match[2]) if match[2] else None)

    def matches(self, origin: Origin) -> bool:
        is_port = origin.port == (self.port or DEFAULT_PORTS.get(origin.scheme))
        if self.host.startswith("."):
            return is_port and f".{origin.host}".endswith(self.host)
        return is_port and origin.host == self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


@dataclass(frozen=True, kw_only=True, slots=True)
class HostRules:
    """The hosts of one integration."""

    allowed: Sequence[HostPattern] = ()
    private: Sequence[HostPattern] = ()
    base: Origin | None = None  # of the integration's base URL

    def problem(self, origin: Origin) -> str | None:
        """Return why no request may go to an origin, or None."""
        if origin.scheme not in DEFAULT_PORTS:
            return Text("its scheme is {scheme!r}, not https", scheme=origin.scheme)
        if origin == self.base or self.is_private(origin):
            return None
        if not any(one.matches(origin) for one in self.allowed):
            return Text("its host and port are not in ALLOWED_HOSTS of DATA_PIPELINE")
        return None if origin.scheme == "https" else Text("http needs a host in PRIVATE_HOSTS or an http BASE_URL")

    def is_private(self, origin: Origin) -> bool:
        """Return whether the host may have private addresses."""
        return any(one.matches(origin) for one in self.private)

    def address_problem(self, address: str, host: str, port: int) -> str | None:
        """Return why an address of an allowed host is refused, or None."""
        ip = _effective(address)
        origin = Origin.of(scheme="http" if port == DEFAULT_PORTS["http"] else "https", host=host, port=port)
        if ip.is_unspecified or ip.is_multicast:
            return Text("it is the address of no single host")
        if self.is_private(origin):
            # A changed name must not lead to the metadata service of a cloud; its literal address may be allowed.
            is_metadata = _is_internal_service(ip) and origin.host != address
            return Text("it is link-local or a metadata service") if is_metadata else None
        is_public = ip.is_global and (isinstance(ip, IPv4Address) or ip in _GLOBAL_UNICAST)
        if not is_public or _is_internal_service(ip):
            return Text("it is not public, and the host is not in PRIVATE_HOSTS of DATA_PIPELINE")
        return None


def base_url_problem(url: str) -> str | None:
    """Return why a URL cannot be the base of addresses, or None."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return Text("it is no URL")
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or port == 0:
        return Text("it has no http scheme or no host")
    return (
        Text("it has credentials, a query or a fragment")
        if "@" in parts.netloc or parts.query or parts.fragment
        else None
    )


def _effective(address: str) -> IPv4Address | IPv6Address:
    """Return the address that packets go to: an IPv6 address can contain an IPv4 one."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv4Address):
        return ip
    teredo = ip.teredo[1] if ip.teredo else None
    nat64 = IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
    return ip.ipv4_mapped or ip.sixtofour or teredo or nat64 or ip


def _is_internal_service(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_link_local or ip == IPv6Address("fd00:ec2::254") or any(ip in one for one in _INTERNAL)
