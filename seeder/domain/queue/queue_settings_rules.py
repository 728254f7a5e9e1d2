"""Rules for `Q_CLUSTER`, so that no task runs twice, is lost or hangs."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from seeder.domain.system_check_hints import SYSTEM_CHECK_HINTS
from seeder.texts import Text

# Brokers that deliver a task again if its worker dies, in the order in which django-q2 looks for them. Without any of
# them it uses Redis.
_REDELIVERING_BROKERS = ("iron_mq", "sqs", "orm", "mongo")


class QueueSettingsProblem(NamedTuple):
    """A wrong setting of Q_CLUSTER."""

    check_id: str
    message: Text

    @property
    def is_error(self) -> bool:
        return ".E" in self.check_id

    @property
    def hint(self) -> Text:
        return SYSTEM_CHECK_HINTS[self.check_id]


def queue_settings_problems(
    q_cluster: Mapping[str, Any], *, statement_timeout: timedelta, uses_connection_pool: bool
) -> Iterator[QueueSettingsProblem]:
    """Yield the problems of `Q_CLUSTER`. A `statement_timeout` of zero means no limit."""
    timeout, retry = q_cluster.get("timeout"), q_cluster.get("retry", 60)
    if timeout and retry <= timeout:
        yield QueueSettingsProblem(
            "seeder.E008",
            Text(
                "Q_CLUSTER['retry'] is {retry} and Q_CLUSTER['timeout'] is {timeout}: a task is delivered again while"
                " the first worker still runs it.",
                retry=retry,
                timeout=timeout,
            ),
        )
    if timeout and statement_timeout >= timedelta(seconds=timeout):
        yield QueueSettingsProblem(
            "seeder.E009",
            Text(
                "A refresh may take {limit:.0f} s (SEEDER_STATEMENT_TIMEOUT_MS), but the queue ends its task after"
                " {timeout} s (Q_CLUSTER['timeout']).",
                limit=statement_timeout.total_seconds(),
                timeout=timeout,
            ),
        )
    # The guard subtracts this from the timeout until exactly zero, which floats such as 0.3 never reach.
    guard_cycle = q_cluster.get("guard_cycle", 0.5)
    if timeout and guard_cycle not in {0.25, 0.5, 1}:
        yield QueueSettingsProblem(
            "seeder.W010",
            Text(
                "Q_CLUSTER['guard_cycle'] is {guard_cycle}: a worker over its timeout may never be ended.",
                guard_cycle=guard_cycle,
            ),
        )
    if q_cluster.get("catch_up", True):
        yield QueueSettingsProblem(
            "seeder.W011",
            Text("Q_CLUSTER['catch_up'] is on: after a pause the queue runs every missed night, one by one."),
        )
    if q_cluster.get("max_attempts", 0) != 1 or not q_cluster.get("ack_failures", False):
        yield QueueSettingsProblem(
            "seeder.W012",
            Text(
                "A failed task is delivered again and again unless Q_CLUSTER['max_attempts'] is 1 and"
                " Q_CLUSTER['ack_failures'] is True."
            ),
        )
    if not q_cluster.get("broker_class") and (
        q_cluster.get("django_redis") or not any(map(q_cluster.get, _REDELIVERING_BROKERS))
    ):
        yield QueueSettingsProblem(
            "seeder.W013", Text("The queue is in Redis: delivered messages are lost if a cluster is killed.")
        )
    if uses_connection_pool:
        yield QueueSettingsProblem(
            "seeder.E014",
            Text(
                "DATABASES['default']['OPTIONS'] has a connection pool, whose threads do not survive in the processes"
                " that a cluster forks."
            ),
        )
