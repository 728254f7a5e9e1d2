"""The hints that the system checks print, by check id."""

from collections.abc import Mapping

from seeder.texts import Text

_INSTALL = Text("Create missing tables with `manage.py install_schema`, or ask the database's owner.")
_ALTER = Text("The table's owner can alter it.")

# The letter of an id is the level: Error, Warning or Information. docs/reference/checks.md has the meanings.
SYSTEM_CHECK_HINTS: Mapping[str, Text] = {
    "seeder.E001": Text("Correct the setting."),
    "seeder.E002": Text("Reinstall the app."),
    "seeder.W003": _INSTALL,
    "seeder.W004": _ALTER,
    "seeder.E005": Text("Set DATABASES['default'] to PostgreSQL."),
    "seeder.I006": _INSTALL,
    "seeder.W006": _ALTER,
    "seeder.E007": Text("Correct NIGHTLY_CRON or AGENCY_CRONS, then run `manage.py schedule_refreshes`."),
    "seeder.E008": Text("Set retry to more than timeout, by the longest wait in a cluster: half an hour."),
    "seeder.E009": Text("Set timeout to more than that limit, or to None for no limit."),
    "seeder.W010": Text("Set Q_CLUSTER['guard_cycle'] to 0.25, 0.5 or 1."),
    "seeder.W011": Text("Set Q_CLUSTER['catch_up'] to False."),
    "seeder.W012": Text(
        "Set Q_CLUSTER['max_attempts'] to 1 and Q_CLUSTER['ack_failures'] to True. Unfinished parts are queued again."
    ),
    "seeder.W013": Text(
        "Schedule seeder.tasks.resume_queue (`manage.py schedule_refreshes` does) or run `manage.py watch_queue`: both"
        " dispatch lost parts again. Or keep the queue in the database: Q_CLUSTER['orm'] = 'default'."
    ),
    "seeder.E014": Text(
        "Remove 'pool' from OPTIONS. If web processes need one, give clusters their own settings module."
    ),
    "seeder.E015": Text("Correct the dotted path."),
    "seeder.E016": Text("Let the router return None for the app seeder."),
    "seeder.E017": Text("Install the extra, or remove the app or the setting."),
    "seeder.W018": Text("Correct the variable's name, or remove the variable."),
}
