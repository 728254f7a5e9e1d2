"""URIs without what changes at each signing and without secrets."""

import re
from urllib.parse import parse_qsl, unquote

# A scheme has two letters at least, so that the drive in C:\file.csv is none.
_URI = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+)://([^/?#]*)(.*)", re.ASCII | re.DOTALL)
_SIGNATURES = frozenset(
    (
        "x-amz-signature",
        "x-goog-signature",
        "x-oss-signature",
        "signature",
        "sig",
        "temp_url_sig",
        "x-amz-security-token",
    )
)


def is_uri(text: str) -> bool:
    """Return whether a text begins with a scheme and `://`."""
    return _URI.match(text) is not None


def file_name(address: str) -> str:
    """Return the last part of an address, without percent-encoding.

    Keys of buckets have none.
    """
    is_object = address.lower().startswith("s3://")
    path = address if is_object else unquote(without_query(address))
    return path.rstrip("/").rpartition("/")[2] or address


def without_query(text: str) -> str:
    """Return a URI without credentials, query and fragment. Any other text is returned unchanged.

    Only HTTP has queries: in `s3://bucket/a?b.csv` the question mark belongs to the object's key.
    """
    if (match := _URI.fullmatch(text)) is None:
        return text
    scheme, authority, rest = match.groups()
    if scheme.lower() in {"http", "https"}:
        rest = re.split("[?#]", rest, maxsplit=1)[0]
    return f"{scheme}://{authority.rpartition('@')[2]}{rest}"


def without_signature(text: str) -> str:
    """Return a presigned URL without its query, and any other text unchanged.

    A query without a signature may distinguish two resources, so it stays.
    """
    if (match := _URI.fullmatch(text)) is None:
        return text
    query = match[3].partition("#")[0].partition("?")[2]
    is_signed = any(name.lower() in _SIGNATURES for name, _ in parse_qsl(query, keep_blank_values=True))
    return without_query(text) if is_signed else text
