"""How a queue has to be set so that nothing is run twice, lost or left hanging for long."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

# Each takes a task back from a worker only after a while, so that a worker's death loses nothing. The order is that in
# which django-q2 looks for them; without any of them it speaks to Redis.
_LASTING = ("iron_mq", "sqs", "orm", "mongo")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A setting of Q_CLUSTER, what is wrong with it and what to do."""

    id: str  # of a system check; one that begins with E is an error, the others are warnings
    message: str
    hint: str

    @property
    def is_error(self) -> bool:
        return ".E" in self.id


def faults(given: Mapping[str, Any], *, statement_limit: timedelta, pooled: bool) -> Iterator[Fault]:
    """What is wrong with `Q_CLUSTER`. `statement_limit`: of a refresh, none where it is zero; `pooled`: the host's
    connections come out of a pool."""
    timeout, retry = given.get("timeout"), given.get("retry", 60)
    if timeout and retry <= timeout:
        yield Fault(
            id="seeder.E008",
            message=f"Q_CLUSTER['retry'] is {retry} and Q_CLUSTER['timeout'] {timeout}: a task is delivered again while"
            " the first worker is still at it.",
            hint="Let retry be greater than timeout, by as long as a task may wait in a cluster: half an hour.",
        )
    if timeout and statement_limit >= timedelta(seconds=timeout):
        yield Fault(
            id="seeder.E009",
            message=f"A refresh may take {statement_limit.total_seconds():.0f} s (SEEDER_STATEMENT_TIMEOUT_MS), but the"
            f" queue ends its task after {timeout} s (Q_CLUSTER['timeout']), so the limit is never reached.",
            hint="Let timeout be greater than the limit; None lets tasks take as long as they need.",
        )
    # The guard counts down in steps of this and waits for exactly zero: in floats 0.3 never gets there.
    cycle = given.get("guard_cycle", 0.5)
    if timeout and cycle not in {0.25, 0.5, 1}:
        yield Fault(
            id="seeder.W010",
            message=f"Q_CLUSTER['guard_cycle'] is {cycle}: a worker that is over its timeout may never be ended.",
            hint="Let it be 0.25, 0.5 or 1.",
        )
    if given.get("catch_up", True):
        yield Fault(
            id="seeder.W011",
            message="Q_CLUSTER['catch_up'] is on: every night that was missed is run after a pause, one by one.",
            hint="Set it to False.",
        )
    if given.get("max_attempts", 0) != 1 or not given.get("ack_failures", False):
        yield Fault(
            id="seeder.W012",
            message="A task that fails is delivered again and again unless Q_CLUSTER['max_attempts'] is 1 and"
            " Q_CLUSTER['ack_failures'] is True.",
            hint="Set both; what has to be done again, seeder queues again by itself.",
        )
    if not given.get("broker_class") and (given.get("django_redis") or not any(map(given.get, _LASTING))):
        yield Fault(
            id="seeder.W013",
            message="The queue is kept in Redis: tasks that were taken are lost when a cluster is killed.",
            hint="Schedule seeder.tasks.resume_queue (`manage.py schedule_refreshes` does) or run `manage.py"
            " watch_queue`, which ring again; or keep the queue in the database: Q_CLUSTER['orm'] = 'default'.",
        )
    if pooled:
        yield Fault(
            id="seeder.E014",
            message="DATABASES['default']['OPTIONS'] has a pool of connections, whose threads do not survive in the"
            " processes that a cluster of the queue forks.",
            hint="Leave out 'pool'. Where web processes want one, give clusters a settings module of their own.",
        )
