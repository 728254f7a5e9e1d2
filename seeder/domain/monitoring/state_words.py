"""Words that pages show for states, changes and modes. In English, they are the machine words."""

from collections.abc import Mapping

from seeder.texts import Text

_WORDS: Mapping[str, Text] = {
    word: word
    for word in (
        # of a view in a run, and of a part of a request
        *(Text("pending"), Text("queued"), Text("running"), Text("succeeded"), Text("refreshed"), Text("skipped")),
        *(Text("failed"), Text("held"), Text("interrupted"), Text("not selected"), Text("not run yet")),
        # of a view compared with the run before
        *(Text("newly failing"), Text("recovered"), Text("slower"), Text("faster"), Text("new"), Text("gone")),
        # of data and contracts
        *(Text("fresh"), Text("due"), Text("late"), Text("unknown"), Text("on time"), Text("no data")),
        # modes of a refresh
        *(Text("plain"), Text("concurrent")),
    )
}


def state_word(state: str) -> str:
    """Return the word as a text, or the state itself if it has none."""
    return _WORDS.get(state, state)
