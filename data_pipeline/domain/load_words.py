"""Words for states, actions, events and their facts, on pages and terminals."""

from collections.abc import Mapping

from seeder.texts import Text

_WORDS: Mapping[str, Text] = {
    word.replace(" ", "_"): word
    for word in (
        # states of loads, and of the file of a day
        *(Text("pending"), Text("missing"), Text("new")),
        # outcomes of objects
        *(Text("written"), Text("busy"), Text.in_context("object", "due")),
        # states of rejects, dead letters and requests
        *(Text("open"), Text("replayed"), Text("dismissed"), Text("resolved")),
        *(Text("queued"), Text("running"), Text("lost"), Text("failed"), Text("done")),
        # actions of requests
        *(Text.in_context("action", "load"), Text("undo"), Text("verify"), Text("transform")),
        *(Text("replay rejects"), Text("dry run"), Text("records")),
        # events of loads
        *(Text("claimed"), Text("attempted"), Text("loaded"), Text("skipped"), Text("interrupted"), Text("undone")),
        *(Text("verified"), Text("rejects replayed"), Text("rejects dismissed")),
        *(Text("table created"), Text("columns added")),
        # facts of events, and what a verification has found
        *(Text("attempt"), Text("error"), Text("code"), Text("artefact"), Text("rows"), Text("table"), Text("tables")),
        *(Text("file"), Text("columns"), Text("equal"), Text("changed"), Text("unreadable"), Text("unknown")),
    )
} | {
    "duration_ms": Text("duration in ms"),
    "xid": Text("transaction id"),
    "inserted": Text("rows inserted"),
    "updated": Text("rows updated"),
    "unchanged": Text("rows unchanged"),
    "deleted": Text("rows deleted"),
    "rejected": Text("records rejected"),
    "normalized": Text("rows normalized"),
    "removed": Text("rows removed"),
    "restored": Text("rows restored"),
    "reinserted": Text("rows inserted again"),
}


_METADATA_WORDS: Mapping[str, Text] = {
    "csv": Text("format of the CSV file"),
    "dialect": Text("dialect"),
    "force": Text("forced"),
    "forced_at": Text("forced at"),
    "mode": Text("mode"),
    "of_key": Text("idempotency key without force"),
    "of_load": Text("rejects of load"),
    "streaming": Text("read as a stream"),
    "rows": Text("rows"),
    "file": Text("file"),
    "size_bytes": Text("bytes"),
    "modified_at": Text("changed at"),
    "modified_ns": Text("changed at, nanoseconds"),
    "content_length": Text("bytes"),
    "last_modified": Text("changed at"),
    "content_md5": Text("MD5 of the content"),
    "content_sha256": Text("SHA-256 of the content"),
    "file_sha256": Text("SHA-256 of the file"),
    "payload_bytes": Text("bytes of the payload"),
    "payload_blake2b": Text("BLAKE2b of the payload"),
    "silver_uri": Text("address of the transformed object"),
    "rows_normalized": Text("rows normalized"),
    "normalize_errors": Text("refused values by reason"),
    "references": Text("reference lists"),
}


def metadata_word(name: str) -> str:
    """Return the name of a fact in the metadata of a file. Other writers can add facts of any name."""
    return _METADATA_WORDS.get(name, name.replace("_", " "))


def load_word(name: str) -> str:
    """Return the word for a machine-readable name, or the name itself."""
    return _WORDS.get(name, name)
