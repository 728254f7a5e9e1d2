"""Sends one message through the library apprise to Slack, Teams, PagerDuty and others. Needs the extra `apprise`."""

import logging
import re
from collections.abc import Sequence
from functools import cache
from urllib.parse import unquote

from seeder.domain.notifications.channels import AppriseService
from seeder.domain.notifications.events import RECOVERIES
from seeder.domain.notifications.texts import Notification, body_of, shortened, subject_of
from seeder.services import extras
from seeder.services.translation import translated

_MAX_CHARACTERS = 3000  # of a body. Services refuse or split longer ones
# They log addresses, which have the tokens. So does the logger of apprise, of which nothing is kept.
_LOGGERS = ("urllib3.connectionpool", "requests_oauthlib", "requests_oauthlib.oauth1_session")
_MIN_SECRET_CHARACTERS = 6


class NotDelivered(Exception):
    """The service did not take the message. The text has no address."""


def send(service: AppriseService, notifications: Sequence[Notification]) -> None:
    """Send one or several notifications in one message.

    Raises `NotDelivered`, `ExtraMissing` or what the library raises.
    """
    extras.require(extras.APPRISE, "A channel with 'apprise'")
    import apprise

    _hide(service.url)
    client = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
    if not client.add(service.url):
        raise NotDelivered("apprise does not know the address")
    is_good = all(one.event in RECOVERIES for one in notifications)
    result = client.notify(
        title=translated(subject_of(notifications)),
        body=shortened(translated(body_of(notifications)), _MAX_CHARACTERS),
        notify_type=apprise.NotifyType.SUCCESS if is_good else apprise.NotifyType.FAILURE,
        body_format=apprise.NotifyFormat.TEXT,
        timeout=service.timeout.total_seconds(),
    )
    if not result:
        raise NotDelivered("the service did not take the message")


@cache
def _hide(url: str) -> None:
    """Keep the parts of an address out of the logs, for as long as the process lives.

    A call that is given up continues in a thread of the library.
    """
    logging.getLogger("apprise").addFilter(lambda _: False)
    address = url.partition("://")[2]
    parts = {part for text in (address, unquote(address)) for part in re.split(r"[^\w.~-]+", text)}
    secrets = {part for part in parts if len(part) >= _MIN_SECRET_CHARACTERS}
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(lambda record: not any(part in record.getMessage() for part in secrets))
