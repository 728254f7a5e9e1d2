"""The system checks by id, with the hint that each prints; docs/reference/checks.md is generated from them."""

from collections.abc import Mapping
from typing import NamedTuple


class SystemCheck(NamedTuple):
    """The letter of an id is the level: Error, Warning or Information."""

    meaning: str
    hint: str


_INSTALL = "Create missing tables with `manage.py install_schema`, or ask the database's owner."
_ALTER = "The table's owner can alter it."

SYSTEM_CHECKS: Mapping[str, SystemCheck] = {
    "seeder.E001": SystemCheck("A setting is invalid. No command works.", "Correct the setting."),
    "seeder.E002": SystemCheck(
        "A model does not match the contract: a bug or a changed version.", "Reinstall the app."
    ),
    "seeder.W003": SystemCheck("A table or column is missing, or the database did not answer.", _INSTALL),
    "seeder.W004": SystemCheck("The type or nullability of a column differs. Refreshes may fail.", _ALTER),
    "seeder.E005": SystemCheck("The default database is not PostgreSQL.", "Set DATABASES['default'] to PostgreSQL."),
    "seeder.I006": SystemCheck("An optional table is missing. The message names the missing feature.", _INSTALL),
    "seeder.W006": SystemCheck("An optional table differs and is not used.", _ALTER),
    "seeder.E007": SystemCheck(
        "A cron expression never matches.",
        "Correct NIGHTLY_CRON or AGENCY_CRONS, then run `manage.py schedule_refreshes`.",
    ),
    "seeder.E008": SystemCheck(
        "The queue delivers a task again while the first worker still runs it.",
        "Set retry to more than timeout, by the longest wait in a cluster: half an hour.",
    ),
    "seeder.E009": SystemCheck(
        "The queue ends a task before its refresh reaches STATEMENT_TIMEOUT_MS.",
        "Set timeout to more than that limit, or to None for no limit.",
    ),
    "seeder.W010": SystemCheck(
        "A worker over its timeout may never be ended.", "Set Q_CLUSTER['guard_cycle'] to 0.25, 0.5 or 1."
    ),
    "seeder.W011": SystemCheck(
        "After a pause the queue runs every missed night, one by one.", "Set Q_CLUSTER['catch_up'] to False."
    ),
    "seeder.W012": SystemCheck(
        "A failed task is delivered again and again.",
        "Set Q_CLUSTER['max_attempts'] to 1 and Q_CLUSTER['ack_failures'] to True. Unfinished parts are queued again.",
    ),
    "seeder.W013": SystemCheck(
        "The queue is in Redis, which loses delivered messages if a cluster is killed.",
        "Schedule seeder.tasks.resume_queue (`manage.py schedule_refreshes` does) or run `manage.py watch_queue`: both"
        " dispatch lost parts again. Or keep the queue in the database: Q_CLUSTER['orm'] = 'default'.",
    ),
    "seeder.E014": SystemCheck(
        "A connection pool does not survive in the processes that a cluster forks.",
        "Remove 'pool' from OPTIONS. If web processes need one, give clusters their own settings module.",
    ),
    "seeder.E015": SystemCheck(
        "AGENCY_SCOPE or AGENCY_MODEL does not exist. No user sees anything.", "Correct the dotted path."
    ),
    "seeder.E016": SystemCheck(
        "A router sends models of seeder to another database than `default`, which has the locks for their rows. No"
        " refresh starts.",
        "Let the router return None for the app seeder.",
    ),
    "seeder.E017": SystemCheck(
        "An app or a setting needs an extra that is not installed. The message has the command to install it.",
        "Install the extra, or remove the app or the setting.",
    ),
}
