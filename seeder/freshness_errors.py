"""Expected errors of links to the freshness of an agency."""

from seeder.errors import RequestError, SeederError


class BadLinkExpiry(RequestError):
    """A link cannot expire at {text!r}: {problem}."""


class BadLinkOrigin(RequestError):
    """{origin!r} is not the address of a site, such as https://reports.example.org."""


class EmbedsNotMounted(SeederError):
    """The URLs of badges are not mounted: add path("reports/", include("seeder.embeds.urls")) to the host's URLs."""
