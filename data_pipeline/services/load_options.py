"""The options of a load, and its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self, TypedDict

from data_pipeline.domain.dialects import Mode
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.refresh_dispatches import RefreshDispatch
from data_pipeline.domain.rejects import Reject

AUTO = "auto"  # the table of the dialect that fits the header, or one that is named after the file


class GivenOptions(TypedDict, total=False):
    """The options of `load_file` and `dry_run`. `LoadOptions` has their meanings and defaults."""

    table: str
    dialect: str | None
    key: str | None
    mode: str | None
    force: bool
    max_rejects: int | None
    max_reject_ratio: float | None
    sheet: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadOptions:
    """The options of a load.

    None means the dialect's value, otherwise that of the settings.
    """

    table: str = AUTO
    dialect: str | None = None
    key: str | None = None  # an idempotency key that the caller computed
    mode: Mode | None = None
    force: bool = False  # load the file although it was loaded before
    max_rejects: int | None = None
    max_reject_ratio: float | None = None
    sheet: str | None = None
    of_load: int | None = None  # the load that this one repeats
    label: str | None = None  # name of the file at the client that uploaded it; only shown

    @classmethod
    def from_given(cls, given: Mapping[str, Any]) -> Self:
        """Return the options of `as_given`, also with others."""
        mode = given.get("mode")
        return cls(**{**given, "mode": Mode(mode) if mode else None})

    def as_given(self) -> dict[str, Any]:
        """Return the options with which the load can be repeated.

        Those that have their defaults are left out.
        """
        defaults, repeated = LoadOptions(), set(LoadOptions.__slots__) - {"force", "of_load"}
        return {name: getattr(self, name) for name in repeated if getattr(self, name) != getattr(defaults, name)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """The result of a load that succeeded or was skipped."""

    load_id: int
    status: LoadStatus
    source_uri: str
    target: str | None
    counts: LoadCounts
    duration: timedelta
    size_bytes: int
    rejects: Sequence[Reject] = field(default_factory=tuple)  # the first ones
    refresh: RefreshDispatch | None = None  # of the dependent views; None if no row changed
