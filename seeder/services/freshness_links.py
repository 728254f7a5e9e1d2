"""Signed links with which readers without a login see how fresh the data of one agency are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import escape

from seeder import conf
from seeder.freshness_errors import BadLinkExpiry, BadLinkOrigin, EmbedsNotMounted
from seeder.services.translation import translated
from seeder.texts import Text

PERMISSION = "seeder.share_freshness"
_SALT = "seeder.freshness_link"  # a signature for another purpose is none for this
_FIRST_VERSION = 1
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ORIGIN = re.compile(r"https?://[^/\s\"'<>?#]+/?")


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshnessLink:
    """The addresses of an agency's badge, fragment and page for a frame."""

    agency: str
    expires_at: datetime | None
    badge: str
    fragment: str
    frame: str

    @property
    def html(self) -> str:
        """HTML to paste into a page, with a text in the language of the person that creates the link."""
        text = translated(Text("Freshness of the data"))
        return f'<img src="{escape(self.badge)}" alt="{escape(text)}" height="20">'


def create_link(agency: str, *, expires_at: datetime | None = None, origin: str = "") -> FreshnessLink:
    """Return the link of an agency. The same arguments give the same one.

    Without an origin, such as `https://reports.example.org`, the addresses are paths. Raises `EmbedsNotMounted`,
    `BadLinkOrigin` or `ConfigurationError`.
    """
    if origin and not _ORIGIN.fullmatch(origin):
        raise BadLinkOrigin(origin=origin)
    facts: dict[str, object] = {"agency": agency, "version": _version(agency)}
    if expires_at is not None:
        facts["expires"] = int(expires_at.timestamp())
    token = _signer().sign_object(facts)
    try:
        paths = {name: reverse(f"seeder-embeds:{name}", args=[token]) for name in ("badge", "fragment", "frame")}
    except NoReverseMatch as error:
        raise EmbedsNotMounted from error
    addresses = {name: f"{origin.rstrip('/')}{path}" for name, path in paths.items()}
    return FreshnessLink(agency=agency, expires_at=expires_at, **addresses)


def read_token(token: str) -> str | None:
    """Return the agency of a link, or None if it is not valid, expired or revoked. Raises `ConfigurationError`.

    Sends no statement, so that an invalid link costs nothing.
    """
    try:
        facts: Mapping[str, object] = _signer().unsign_object(token)
    except (BadSignature, ValueError):
        return None
    agency, expires = str(facts["agency"]), facts.get("expires")
    if facts["version"] != _version(agency):
        return None
    is_expired = isinstance(expires, int) and expires <= timezone.now().timestamp()
    return None if is_expired else agency


def _signer() -> Signer:
    return Signer(salt=_SALT)  # with SECRET_KEY, and SECRET_KEY_FALLBACKS for verification


def _version(agency: str) -> int:
    return conf.load().freshness_link_versions.get(agency, _FIRST_VERSION)


def parse_expiry(text: str) -> datetime:
    """Read a day, at whose end the link expires in the host's time zone, or an instant. Raises `BadLinkExpiry`."""
    try:
        at = datetime.fromisoformat(text)
        if _DAY.fullmatch(text):
            at += timedelta(days=1)
        if at.tzinfo is None:
            at = at.replace(tzinfo=timezone.get_default_timezone())
        at = at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        problem = Text("it is neither a day such as 2027-06-30 nor an instant")
        raise BadLinkExpiry(text=text, problem=problem) from error
    if at <= timezone.now():
        raise BadLinkExpiry(text=text, problem=Text("it has passed"))
    return at
