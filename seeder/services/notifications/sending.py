"""Sends the notifications of the outbox.

Several senders can work at once. Each claims a row for a lease, sends it, and records the result. If a sender is killed
in between, the row is due again after the lease: a receiver gets it twice rather than never, with the same id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.log_format import LogValue
from seeder.domain.notifications import delivery
from seeder.domain.notifications.channels import AppriseService, Channel, LineageServer, Mailbox, Webhook
from seeder.domain.notifications.delivery import DeliveryState
from seeder.domain.notifications.events import Event
from seeder.domain.notifications.texts import Notification
from seeder.errors import ExtraMissing
from seeder.notification_errors import UnknownChannel
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.notifications import apprise_posts, lineage_posts, mails, outbox, state_changes, webhooks
from seeder.services.notifications.http_posts import Answer, NoAnswer
from seeder.services.notifications.outbox import ClaimedNotification
from seeder.services.structured_log import ERROR, WARNING, log_event

# After this time, nothing more is claimed for a channel. The next call, a minute later, continues.
_MAX_SECONDS = 30

Clock = Callable[[], datetime]


@dataclass(kw_only=True, slots=True)
class SendResult:
    """Numbers of notifications."""

    sent: int = 0
    failed: int = 0  # attempts that will be repeated
    given_up: int = 0


def _server_time() -> datetime:
    return sessions.server_time(DEFAULT_DB_ALIAS)


def send_notifications(*, clock: Clock = _server_time) -> SendResult:
    """Write the missing notifications, and send those that are due. Safe to call at any time, and concurrently.

    Raises `NotificationsUnusable`, `ConfigurationError` or `DatabaseError`.
    """
    settings, result = conf.load(), SendResult()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        tables = OptionalTables.read(DEFAULT_DB_ALIAS)
        outbox.require_tables(tables)
        state_changes.notify_changes(settings, tables)
        for channel in settings.notifications:
            if not outbox.has_gone(channel.name):
                _Sender(channel, clock, result).send_due(until=monotonic() + _MAX_SECONDS)
    return result


def retry_channel(name: str) -> int:
    """Have everything that a channel did not get sent again. Return the number of notifications.

    Raises `UnknownChannel`, `NotificationsUnusable`, `ConfigurationError` or `DatabaseError`.
    """
    names = [channel.name for channel in conf.load().notifications]
    if name not in names:
        raise UnknownChannel(channel=name, known=", ".join(names) or "none")
    with translate_database_errors(DEFAULT_DB_ALIAS):
        outbox.require_tables(OptionalTables.read(DEFAULT_DB_ALIAS))
        return outbox.retry_channel(name)


class _Sender:
    """Sends to one channel until nothing is due or an attempt fails.

    After a failure, the others would probably fail too, and each would take as long as the time limit.
    """

    def __init__(self, channel: Channel, clock: Clock, result: SendResult) -> None:
        self._channel, self._clock, self._result = channel, clock, result

    def send_due(self, *, until: float) -> None:
        match self._channel.receiver:
            case Mailbox() | AppriseService() as receiver:
                self._send_collected(receiver, until=until)
            case Webhook() | LineageServer() as receiver:
                while monotonic() < until and self._send_next(receiver):
                    pass

    def _send_next(self, receiver: Webhook | LineageServer) -> bool:
        row = outbox.claim_next(self._channel.name, now=self._clock())
        return row is not None and self._post(receiver, row)

    def _post(self, receiver: Webhook | LineageServer, row: ClaimedNotification) -> bool:
        """Send one request. Return whether it was delivered."""
        try:
            if isinstance(receiver, Webhook):
                answer = webhooks.send(receiver, row, now=self._clock())
            else:
                answer = lineage_posts.send(receiver, row)
        except NoAnswer as error:
            self._record([row], DeliveryState.PENDING, error=str(error))
            return False
        state = delivery.state_after(answer.status)
        is_sent = state is DeliveryState.SENT
        self._record([row], state, error=None if is_sent else f"HTTP status {answer.status}", answer=answer)
        return is_sent

    def _send_collected(self, receiver: Mailbox | AppriseService, *, until: float) -> None:
        now = self._clock()
        rows = outbox.claim_collected(self._channel.name, now=now, collected_since=now - receiver.collect)
        for message in delivery.messages(rows, digest_above=receiver.digest_above):
            if monotonic() >= until:
                return  # the lease ends by itself
            texts = [Notification(event=Event(row.event), facts=row.facts, at=row.created_at) for row in message]
            try:
                if isinstance(receiver, Mailbox):
                    mails.send(receiver, texts, first=message[0].id, last=message[-1].id)
                else:
                    apprise_posts.send(receiver, texts)
            except (apprise_posts.NotDelivered, ExtraMissing) as error:
                self._record(message, DeliveryState.PENDING, error=str(error))
                return
            except Exception as error:  # noqa: BLE001  # a backend raises what its library does
                self._record(message, DeliveryState.PENDING, error=type(error).__name__)
                return
            self._record(message, DeliveryState.SENT)

    def _record(
        self,
        rows: Sequence[ClaimedNotification],
        state: DeliveryState,
        *,
        error: str | None = None,
        answer: Answer | None = None,
    ) -> None:
        """Record the result of an attempt."""
        now, retry_after = self._clock(), answer.retry_after if answer else timedelta()
        for row in rows:
            due_at = delivery.next_attempt(row.attempts, now, retry_after=retry_after)
            ended = DeliveryState.FAILED if state is DeliveryState.PENDING and due_at is None else state
            outbox.end_attempt(row, ended, now=now, due_at=due_at, error=error)
            self._log(row, ended, error)

    def _log(self, row: ClaimedNotification, state: DeliveryState, error: str | None) -> None:
        facts: dict[str, LogValue | None] = {"channel": self._channel.name, "notification": row.id, "reason": error}
        facts["attempts"] = row.attempts
        match state:
            case DeliveryState.SENT:
                self._result.sent += 1
            case DeliveryState.PENDING:
                self._result.failed += 1
                log_event(WARNING, "notification_failed", **facts)
            case DeliveryState.FAILED | DeliveryState.GONE:
                self._result.given_up += 1
                log_event(ERROR, "notification_given_up", **facts)
