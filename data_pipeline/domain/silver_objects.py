"""Keys and metadata of objects in silver.

The key has the version of the source object, so a listing tells which versions are finished.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Final, Self

from data_pipeline.domain.canonical_bytes import canonical_bytes
from data_pipeline.domain.dialects import Dialect
from data_pipeline.domain.idempotency_keys import compute_idempotency_key

SOURCE: Final = "silver.transform"  # of loads
RULES_VERSION: Final = 1  # raised when a rule gives other values than before
REJECTS_PREFIX: Final = "_rejects/"
MAX_KEY_BYTES: Final = 1024
_SUFFIXES = {"none": ".csv", "gzip": ".csv.gz", "zstd": ".csv.zst"}
_NOT_OF_VERSION = re.compile(r"[^A-Za-z0-9-]")
_SILVER_KEY = re.compile(r"(.+/[A-Za-z0-9_-]+)\.csv(?:\.gz|\.zst)?", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class SilverFacts:
    """What the metadata of an object in silver say about its content."""

    load_key: str
    source_etag: str
    dialect: str
    rules: str  # version of the rules, and a hash of the dialect
    rows: int
    rejects: int
    content_sha256: str  # of the object's bytes

    def as_metadata(self) -> Mapping[str, str]:
        """Return the metadata, with hyphens in their names."""
        return {name.replace("_", "-"): str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self | None:
        """Return the facts, or None for the object of another writer."""
        try:
            return cls(
                load_key=metadata["load-key"],
                source_etag=metadata["source-etag"],
                dialect=metadata["dialect"],
                rules=metadata["rules"],
                rows=int(metadata["rows"]),
                rejects=int(metadata["rejects"]),
                content_sha256=metadata["content-sha256"],
            )
        except (KeyError, ValueError):
            return None


def version_key(source_key: str, etag: str) -> str:
    """Return an object version's key in silver, without its suffix."""
    return f"{source_key}/{_NOT_OF_VERSION.sub('_', etag.strip(chr(34)))}"


def silver_key(source_key: str, etag: str, *, compression: str) -> str:
    """Return the key in silver of a version of an object."""
    return version_key(source_key, etag) + _SUFFIXES[compression]


def rejects_key(source_key: str, etag: str) -> str:
    """Return the key of a transform's refused records, as JSON lines."""
    return f"{REJECTS_PREFIX}{version_key(source_key, etag)}.jsonl"


def version_of(silver_key: str) -> str | None:
    """Return the `version_key` of a key in silver.

    None for another object.
    """
    found = _SILVER_KEY.fullmatch(silver_key)
    return found[1] if found else None


def load_key(source_uri: str, etag: str) -> str:
    """Return the idempotency key of an object version's transform.

    It has no time, so the same content that is uploaded again is the same artefact.
    """
    return compute_idempotency_key(path=source_uri, remote_meta={"etag": etag}, extra={"to": "silver"})


def rules_version(dialect: Dialect, reference_hashes: Sequence[str] = ()) -> str:
    """Return the version of a dialect's rules and references."""
    content = canonical_bytes([asdict(dialect), *reference_hashes])
    return f"{RULES_VERSION}-{blake2b(content, digest_size=8).hexdigest()}"
