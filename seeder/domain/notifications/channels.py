"""Channels: receivers of notifications. Declared in the setting `NOTIFICATIONS`."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from seeder.domain.notifications.events import Event

DEFAULT_EVENTS = frozenset(Event) - {Event.RUN_FINISHED}  # a run that ends is no change of a state
_MAX_TIMEOUT_SECONDS = 60
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
_APPRISE_URL = re.compile(r"[a-z][a-z0-9+.-]*://[!-~]+", re.IGNORECASE)
_TOKEN = re.compile(r"[!-~]+")
_PREFIX = "whsec_"
_MIN_SECRET_BYTES, _MAX_SECRET_BYTES = 24, 64  # of Standard Webhooks


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """A receiver of signed HTTP requests."""

    url: str = field(repr=False)  # may contain a token
    secrets: tuple[bytes, ...] = field(repr=False)  # several while the secret is changed
    timeout: timedelta = timedelta(seconds=10)  # of an entire attempt


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailbox:
    """Recipients of e-mail."""

    recipients: tuple[str, ...]
    collect: timedelta = timedelta(minutes=5)  # from a notification until it is sent with the ones that followed
    digest_above: int = 5  # with more notifications at once, one message has them all


@dataclass(frozen=True, kw_only=True, slots=True)
class AppriseService:
    """A service that the library apprise knows. For people, as e-mail is."""

    url: str = field(repr=False)  # contains tokens
    timeout: timedelta = timedelta(seconds=10)
    collect: timedelta = timedelta(minutes=5)
    digest_above: int = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class LineageServer:
    """A receiver of OpenLineage events of every refresh."""

    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    namespace: str = "reporting-seeder"  # of jobs
    has_sql: bool = True
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A receiver of notifications."""

    name: str
    receiver: Webhook | Mailbox | AppriseService | LineageServer
    events: frozenset[Event] = DEFAULT_EVENTS
    agencies: frozenset[str] = frozenset()  # empty: all

    def wants(self, event: Event, agencies: Collection[str]) -> bool:
        """Return whether it gets an event of a view that these agencies use."""
        return event in self.events and self.is_for(agencies)

    def is_for(self, agencies: Collection[str]) -> bool:
        """Return whether it is for one of these agencies."""
        return not self.agencies or not self.agencies.isdisjoint(agencies)


def parse_channels(declared: Mapping[Any, Any]) -> Iterator[Channel]:
    """Yield the channels of the setting. Raises `ValueError` with what it must be, which contains no value."""
    for name, facts in declared.items():
        if not isinstance(name, str) or not 0 < len(name.strip()) == len(name) <= 100 or not name.isprintable():
            raise ValueError("a map whose names of channels are texts of up to 100 characters")
        if not isinstance(facts, Mapping):
            raise ValueError(f"a map of options for the channel {name!r}")  # noqa: TRY004  # a wrong setting
        try:
            yield _channel(name, dict(facts))
        except ValueError as error:
            raise ValueError(f"correct: the channel {name!r} needs {error}") from None


def _channel(name: str, facts: dict[Any, Any]) -> Channel:
    events = _texts(facts.pop("events", () if "openlineage" in facts else DEFAULT_EVENTS), "names of events")
    if not events <= {*Event}:
        raise ValueError(f"events among {', '.join(Event)}")
    agencies = _texts(facts.pop("agencies", ()), "slugs of agencies")
    receiver = _receiver(facts)
    if events and isinstance(receiver, LineageServer):
        raise ValueError("no events: OpenLineage gets those of every refresh")
    if facts:
        raise ValueError("no other options than those in docs/how-to/notifications.md")
    return Channel(name=name, receiver=receiver, events=frozenset(map(Event, events)), agencies=agencies)


def _receiver(facts: dict[Any, Any]) -> Webhook | Mailbox | AppriseService | LineageServer:
    if "webhook" in facts:
        return _webhook(facts)
    if "apprise" in facts:
        return _apprise_service(facts)
    return _lineage_server(facts) if "openlineage" in facts else _mailbox(facts)


def _webhook(facts: dict[Any, Any]) -> Webhook:
    secrets = facts.pop("secret", ())
    return Webhook(
        url=_url(facts.pop("webhook")),
        secrets=tuple(_secrets([secrets] if isinstance(secrets, str) else secrets)),
        timeout=timedelta(seconds=_number(facts.pop("timeout_seconds", 10), 1, _MAX_TIMEOUT_SECONDS)),
    )


def _apprise_service(facts: dict[Any, Any]) -> AppriseService:
    url = facts.pop("apprise")
    if not isinstance(url, str) or not _APPRISE_URL.fullmatch(url):
        raise ValueError("'apprise' with an address of that library, such as slack://…")
    return AppriseService(
        url=url,
        timeout=timedelta(seconds=_number(facts.pop("timeout_seconds", 10), 1, _MAX_TIMEOUT_SECONDS)),
        **_collecting(facts),
    )


def _collecting(facts: dict[Any, Any]) -> dict[str, Any]:
    return {
        "collect": timedelta(seconds=_number(facts.pop("collect_seconds", 300), 0, 86_400)),
        "digest_above": _number(facts.pop("digest_above", 5), 1, 1_000),
    }


def _lineage_server(facts: dict[Any, Any]) -> LineageServer:
    token, namespace = facts.pop("token", ""), facts.pop("namespace", "reporting-seeder")
    has_sql = facts.pop("sql", True)
    if not isinstance(token, str) or (token and not _TOKEN.fullmatch(token)):
        raise ValueError("a 'token' of printable ASCII characters without blanks")
    if not isinstance(namespace, str) or not namespace.isprintable() or not namespace.strip():
        raise ValueError("a 'namespace', which is a text")
    if not isinstance(has_sql, bool):
        raise ValueError("'sql': True or False")  # noqa: TRY004  # a wrong setting
    return LineageServer(
        url=_url(facts.pop("openlineage")),
        token=token,
        namespace=namespace,
        has_sql=has_sql,
        timeout=timedelta(seconds=_number(facts.pop("timeout_seconds", 10), 1, _MAX_TIMEOUT_SECONDS)),
    )


def _mailbox(facts: dict[Any, Any]) -> Mailbox:
    recipients = facts.pop("email", ())
    if not isinstance(recipients, list | tuple) or not recipients or not all(map(_is_address, recipients)):
        raise ValueError("'webhook', 'apprise' or 'openlineage' with an address, or 'email' with a list of addresses")
    return Mailbox(recipients=tuple(recipients), **_collecting(facts))


def _is_address(value: object) -> bool:
    return isinstance(value, str) and _EMAIL.fullmatch(value) is not None


def _url(value: object) -> str:
    if not isinstance(value, str) or not _is_url(value):
        raise ValueError("an https:// address without user name and fragment (http:// only for this machine)")
    return value


def _is_url(value: str) -> bool:
    if not value.isascii() or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
        is_complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_local(parts.hostname or ""))
    return is_complete and is_safe and "@" not in parts.netloc and not parts.fragment


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _secrets(values: object) -> Iterator[bytes]:
    keys = [_key(one) for one in values] if isinstance(values, list | tuple) else []
    if not keys or None in keys:
        raise ValueError(f"'secret': {_PREFIX} and the base64 of 24 to 64 random bytes, or a list of those")
    yield from filter(None, keys)


def _key(value: object) -> bytes | None:
    if not isinstance(value, str) or not value.startswith(_PREFIX):
        return None
    try:
        key = b64decode(value.removeprefix(_PREFIX), validate=True)
    except (ValueError, Base64Error):
        return None
    return key if _MIN_SECRET_BYTES <= len(key) <= _MAX_SECRET_BYTES else None


def _texts(value: object, kind: str) -> frozenset[str]:
    is_list = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    texts = list(value) if is_list else [None]  # type: ignore[call-overload]  # checked in the line above
    if not all(isinstance(one, str) for one in texts):
        raise ValueError(f"a list of {kind}")
    return frozenset(texts)


def _number(value: object, lowest: int, highest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise ValueError(f"whole numbers in their range, such as {lowest} to {highest}")
    return value
