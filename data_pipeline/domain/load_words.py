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


def load_word(name: str) -> str:
    """Return the word for a machine-readable name, or the name itself."""
    return _WORDS.get(name, name)
