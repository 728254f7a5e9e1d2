"""How a queue has to be set so that nothing is run twice, lost or left hanging for long."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

# Each takes a task back from a worker only after a while, so that a worker's death loses nothing. The order is that in
# which django-q2 looks for them; without any of them it speaks to Redis.
_REDELIVERING_BROKERS = ("iron_mq", "sqs", "orm", "mongo")


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueSettingsProblem:
    """A setting of Q_CLUSTER, what is wrong with it and what to do."""

    check_id: str  # of a system check; one that begins with E is an error, the others are warnings
    message: str
    hint: str

    @property
    def is_error(self) -> bool:
        return ".E" in self.check_id


def queue_settings_problems(
    q_cluster: Mapping[str, Any], *, statement_timeout: timedelta, uses_connection_pool: bool
) -> Iterator[QueueSettingsProblem]:
    """What is wrong with `Q_CLUSTER`. `statement_limit`: of a refresh, none where it is zero; `pooled`: the host's
    connections come out of a pool."""
    timeout, retry = q_cluster.get("timeout"), q_cluster.get("retry", 60)
    if timeout and retry <= timeout:
        yield QueueSettingsProblem(
            check_id="seeder.E008",
            message=f"Q_CLUSTER['retry'] is {retry} and Q_CLUSTER['timeout'] {timeout}: a task is delivered again while"
            " the first worker is still at it.",
            hint="Let retry be greater than timeout, by as long as a task may wait in a cluster: half an hour.",
        )
    if timeout and statement_timeout >= timedelta(seconds=timeout):
        yield QueueSettingsProblem(
            check_id="seeder.E009",
            message=f"A refresh may take {statement_timeout.total_seconds():.0f} s (SEEDER_STATEMENT_TIMEOUT_MS),"
            " but the"
            f" queue ends its task after {timeout} s (Q_CLUSTER['timeout']), so the limit is never reached.",
            hint="Let timeout be greater than the limit; None lets tasks take as long as they need.",
        )
    # The guard counts down in steps of this and waits for exactly zero: in floats 0.3 never gets there.
    guard_cycle = q_cluster.get("guard_cycle", 0.5)
    if timeout and guard_cycle not in {0.25, 0.5, 1}:
        yield QueueSettingsProblem(
            check_id="seeder.W010",
            message=f"Q_CLUSTER['guard_cycle'] is {guard_cycle}: a worker that is over its timeout may never be ended.",
            hint="Let it be 0.25, 0.5 or 1.",
        )
    if q_cluster.get("catch_up", True):
        yield QueueSettingsProblem(
            check_id="seeder.W011",
            message="Q_CLUSTER['catch_up'] is on: every night that was missed is run after a pause, one by one.",
            hint="Set it to False.",
        )
    if q_cluster.get("max_attempts", 0) != 1 or not q_cluster.get("ack_failures", False):
        yield QueueSettingsProblem(
            check_id="seeder.W012",
            message="A task that fails is delivered again and again unless Q_CLUSTER['max_attempts'] is 1 and"
            " Q_CLUSTER['ack_failures'] is True.",
            hint="Set both; what has to be done again, seeder queues again by itself.",
        )
    if not q_cluster.get("broker_class") and (
        q_cluster.get("django_redis") or not any(map(q_cluster.get, _REDELIVERING_BROKERS))
    ):
        yield QueueSettingsProblem(
            check_id="seeder.W013",
            message="The queue is kept in Redis: tasks that were taken are lost when a cluster is killed.",
            hint="Schedule seeder.tasks.resume_queue (`manage.py schedule_refreshes` does) or run `manage.py"
            " watch_queue`, which ring again; or keep the queue in the database: Q_CLUSTER['orm'] = 'default'.",
        )
    if uses_connection_pool:
        yield QueueSettingsProblem(
            check_id="seeder.E014",
            message="DATABASES['default']['OPTIONS'] has a pool of connections, whose threads do not survive in the"
            " processes that a cluster of the queue forks.",
            hint="Leave out 'pool'. Where web processes want one, give clusters a settings module of their own.",
        )
