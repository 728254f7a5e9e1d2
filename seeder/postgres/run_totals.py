"""Totals of runs."""

from collections.abc import Mapping, Sequence

from django.db import DEFAULT_DB_ALIAS

from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS


def totals_of_agencies(run_ids: Sequence[str], agencies: Sequence[str]) -> Mapping[str, tuple[int, int, int]]:
    """Return the numbers of manifests, successes and failures of these agencies, by run.

    Runs without any of these agencies are left out.
    """
    parameters = {"run_ids": list(run_ids), "agencies": list(agencies)}
    rows = sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["totals_of_agencies"], parameters)
    return {run_id: (manifests, succeeded, failed) for run_id, manifests, succeeded, failed in rows}
