"""The guards of notifications, and the tests that fail without them."""

from tests.mutants.mutant import Mutant

_CHANGES = "tests/integration/notifications/test_state_changes.py"
_SOURCES = "tests/integration/data_pipeline/test_source_alerts.py"
_LINEAGE = "tests/integration/notifications/test_lineage.py"
_APPRISE = "tests/integration/notifications/test_apprise.py"
_SENDING = "tests/integration/notifications/test_sending.py"
_CHANNELS = "tests/unit/domain/notifications/test_channels.py"

NOTIFICATIONS = [
    Mutant(
        name="apprise: the address is in no log of the HTTP client",
        file="seeder/services/notifications/apprise_posts.py",
        old="not any(part in record.getMessage() for part in secrets)",
        new="True",
        tests=(_APPRISE,),
    ),
    Mutant(
        name="apprise: the library logs nothing",
        file="seeder/services/notifications/apprise_posts.py",
        old="addFilter(lambda _: False)",
        new="addFilter(lambda _: True)",
        tests=(_APPRISE,),
    ),
    Mutant(
        name="lineage: a refresh that has ended is not aborted",
        file="seeder/postgres/notifications.sql",
        old="ended.id > n.id",
        new="false",
        tests=(_LINEAGE,),
    ),
    Mutant(
        name="lineage: each refresh has an id of its own",
        file="seeder/domain/notifications/lineage.py",
        old="""f"{run_id}/{facts['database']}/{name}\"""",
        new="name",
        tests=(_LINEAGE,),
    ),
    Mutant(
        name="notifications: a source with a later success does not fail",
        file="data_pipeline/postgres/source_alerts.sql",
        old="WHERE NOT EXISTS (\n    SELECT\n    FROM load_log AS l\n    WHERE l.source = failed.source",
        new="WHERE NOT EXISTS (\n    SELECT\n    FROM load_log AS l\n    WHERE false",
        tests=(_SOURCES,),
    ),
    Mutant(
        name="notifications: a source that was notified recovers after its failure only",
        file="data_pipeline/postgres/source_alerts.sql",
        old="l.succeeded_at > notified.notified_at",
        new="true",
        tests=(_SOURCES,),
    ),
    Mutant(
        name="notifications: a state is notified once",
        file="seeder/domain/notifications/events.py",
        old="is_muted or notified is now",
        new="is_muted",
        tests=(_CHANGES,),
    ),
    Mutant(
        name="notifications: a muted view is not notified",
        file="seeder/domain/notifications/events.py",
        old="is_muted or notified is now",
        new="notified is now",
        tests=(_CHANGES,),
    ),
    Mutant(
        name="notifications: an error of a receiver does not fail the run",
        file="seeder/services/signal_sending.py",
        old="send_robust(",
        new="send(",
        tests=(_CHANGES,),
    ),
    Mutant(
        name="notifications: those of one view are sent in order",
        file="seeder/postgres/notifications.sql",
        old="AND earlier.id < n.id",
        new="AND earlier.id > n.id",
        tests=(_SENDING,),
    ),
    Mutant(
        name="notifications: a claimed one is not sent by others",
        file="seeder/services/notifications/outbox.py",
        old='"now": now, "lease_ends_at": now + LEASE}\n    for row',
        new='"now": now, "lease_ends_at": now}\n    for row',
        tests=(_SENDING,),
    ),
    Mutant(
        name="notifications: a receiver cannot answer forever",
        file="seeder/services/notifications/http_posts.py",
        old="    timer.start()\n",
        new="",
        tests=(_SENDING,),
    ),
    Mutant(
        name="notifications: the end of the time is no answer",
        file="seeder/services/notifications/http_posts.py",
        old="        if is_over.is_set():  #",
        new="        if False:  #",
        tests=(_SENDING,),
    ),
    Mutant(
        name="notifications: nothing is sent after 410",
        file="seeder/services/notifications/sending.py",
        old="if not outbox.has_gone(channel.name):",
        new="if True:",
        tests=(_SENDING,),
    ),
    Mutant(
        name="notifications: a webhook in plain text stays on this machine",
        file="seeder/domain/notifications/channels.py",
        old='parts.scheme == "http" and _is_local(parts.hostname or "")',
        new='parts.scheme == "http"',
        tests=(_CHANNELS,),
    ),
    Mutant(
        name="notifications: a refused setting does not show its values",
        file="seeder/conf.py",
        old="value=REDACTED, expected=str(error)",
        new="value=value, expected=str(error)",
        tests=(_CHANNELS,),
    ),
    Mutant(
        name="notifications: those of a shared view reach all its agencies",
        file="seeder/services/notifications/run_notifications.py",
        old="for spec in (view.spec, *specs)",
        new="for spec in (view.spec,)",
        tests=(_CHANGES,),
    ),
]
