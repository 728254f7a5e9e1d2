"""Suggests a known name for an unknown one."""

from collections.abc import Iterable
from difflib import SequenceMatcher

from seeder.texts import Text

_MIN_SIMILARITY = 0.65  # one wrong letter of three is similar, and "nosuch" is not similar to "much"


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the most similar candidate in any case, or None if no candidate is similar.

    Only the part after the last period must be similar, because most views share a schema.
    """
    similar = [one for one in candidates if _similarity(_last_part(name), _last_part(one)) >= _MIN_SIMILARITY]
    return max(sorted(similar), key=lambda candidate: _similarity(name, candidate), default=None)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return a sentence with the nearest candidate, or an empty text if no candidate is similar."""
    suggestion = nearest(name, candidates)
    return "" if suggestion is None else Text(" The nearest one is {suggestion!r}.", suggestion=suggestion)


def _similarity(name: str, candidate: str) -> float:
    return SequenceMatcher(None, name.casefold(), candidate.casefold(), autojunk=False).ratio()


def _last_part(name: str) -> str:
    return name.rpartition(".")[2]
