"""Words for states, outcomes, modes and actions, of which the enumerations have the machine words."""

from collections.abc import Mapping

from seeder.texts import Text

_WORDS: Mapping[str, Text] = {
    word: word
    for word in (
        # of a row
        *(Text("pending"), Text("running"), Text("success"), Text("error")),
        # of a view in a run, and of a part of a request
        *(Text("queued"), Text("succeeded"), Text("created"), Text("refreshed"), Text("skipped")),
        *(Text("failed"), Text("held"), Text("interrupted"), Text("not selected"), Text("not run yet")),
        # of a view compared with the run before
        *(Text("newly failing"), Text("recovered"), Text("slower"), Text("faster"), Text("new"), Text("gone")),
        # of data and contracts
        *(Text("fresh"), Text("due"), Text("late"), Text("unknown"), Text("on time"), Text("no data")),
        # actions of a plan and modes of a refresh
        *(Text("create"), Text("refresh"), Text("plain"), Text("concurrent")),
        # of schedules
        *(Text("added"), Text("changed"), Text("kept"), Text("removed")),
    )
}


def state_word(state: str) -> Text:
    """Return the word as a text, or the state itself if it has none. In English, both are the same."""
    return _WORDS.get(state) or Text.joined([state])
