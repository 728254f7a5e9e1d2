"""Words for states and actions of loads, rejects and requests. In English, most are the machine words."""

from collections.abc import Mapping

from seeder.texts import Text

_WORDS: Mapping[str, Text] = {
    **{
        word: word
        for word in (
            # of a load, and of the file of a day
            *(Text("pending"), Text("stuck"), Text("loaded"), Text("loaded, repeated"), Text("skipped")),
            *(Text("failed"), Text("undone"), Text("missing"), Text("new")),
            # of a reject, and of a failed load that can be loaded again
            *(Text("open"), Text("replayed"), Text("resolved"), Text("dismissed")),
            # of a request, and its action
            *(Text("queued"), Text("running"), Text("lost"), Text("done"), Text("load"), Text("undo")),
            *(Text("verify"), Text("transform"), Text("records")),
        )
    },
    "replay_rejects": Text("replay of rejects"),
    "dry_run": Text("dry run"),
}


def state_word(state: str) -> str:
    """Return the word of a state, or the state itself."""
    return _WORDS.get(state, state)
