"""Shows, writes out and dismisses the rejects of a load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.domain.correction_files import correction_lines
from data_pipeline.domain.rejects import RejectState
from data_pipeline.postgres import kept_rejects
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.kept_rejects import KeptReject
from data_pipeline.services.load_lookup import csv_format_of, file_columns, find_file_load, find_load_by_id

DEFAULT_LIMIT = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectList:
    """Rejects of a load in the order of the file."""

    load_id: int
    table: str | None
    counts: Mapping[RejectState, int]  # of all kept rejects
    rejects: Sequence[KeptReject]  # the first ones


@dataclass(frozen=True, kw_only=True, slots=True)
class Dismissed:
    """What a dismissal has changed."""

    rejects: int  # those that were open
    is_failure: bool  # the load had failed, and was not dismissed before


def list_rejects(load_id: int, *, limit: int = DEFAULT_LIMIT, using: str = DEFAULT_DB_ALIAS) -> RejectList:
    """Return the rejects of a load. Raises `UnknownLoad`."""
    load = find_load_by_id(load_id, using=using)
    with translate_errors(using):
        return RejectList(
            load_id=load_id,
            table=load.target,
            counts=kept_rejects.count_by_state(using, load_id),
            rejects=kept_rejects.read_rejects(using, load_id, limit=limit),
        )


def write_reject_file(load_id: int, path: Path, *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Write the open rejects of a load into a CSV file.

    They can be corrected there. Return their number.

    Raises `UnknownLoad`, `NotFileLoad`, `ColumnsUnknown` or `OSError`.
    """
    load = find_file_load(load_id, using=using)
    with translate_errors(using):
        rejects = kept_rejects.read_rejects(using, load_id, state=RejectState.OPEN)
    lines = list(correction_lines([one.record for one in rejects], file_columns(load), csv_format_of(load)))
    with path.open("x", encoding="utf-8", newline="") as file:  # an existing one may have corrections
        file.writelines(lines)
    return len(rejects)


def dismiss_load(load_id: int, *, actor: str, using: str = DEFAULT_DB_ALIAS) -> Dismissed:
    """Mark a load's failure and its open rejects as dismissed.

    No status then counts them.

    Another attempt of the load can fail anew. Raises `UnknownLoad`.
    """
    find_load_by_id(load_id, using=using)
    with translate_errors(using):
        rejects, is_failure = kept_rejects.dismiss_load(using, load_id, actor=actor)
    return Dismissed(rejects=rejects, is_failure=is_failure)
