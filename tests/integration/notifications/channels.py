"""A channel to a receiver of this machine, a view that fails on request, and a clock that a test turns."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.refresh_requests import AllReports
from seeder.postgres import sessions
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest, sql
from tests.scripted_http import Received

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  # an example of the specification


def webhook(url: str, **options: Any) -> dict[str, Any]:
    """Return settings with one channel."""
    return {"NOTIFICATIONS": {"pager": {"webhook": url, "secret": SECRET, "timeout_seconds": 1, **options}}}


def create_views(*names: str) -> None:
    """Create manifests of views that fail while `reporting.divisor` has a zero for them."""
    sql("CREATE TABLE reporting.divisor AS SELECT n, 1 AS d FROM unnest(%s::text[]) AS n", list(names))  # type: ignore[arg-type]
    for name in names:
        create_custom_manifest(f"reporting.{name}", f"SELECT 1 / d AS x FROM reporting.divisor WHERE n = '{name}'")


def refresh(*failing: str) -> None:
    """Refresh all views, of which these fail."""
    sql("UPDATE reporting.divisor SET d = (n <> ALL (%s::text[]))::int", list(failing))  # type: ignore[arg-type]
    orchestrator.execute_run(AllReports())


def require_signature(request: Received) -> None:
    """Verify a request as a receiver does, independently of the sender's code."""
    headers: Mapping[str, str] = request.headers
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    digest = hmac.new(b64decode(SECRET.removeprefix("whsec_")), content, "sha256").digest()
    assert headers["webhook-signature"] == f"v1,{b64encode(digest).decode()}"


def ids(requests: Iterable[Received]) -> list[str]:
    return [request.headers["webhook-id"] for request in requests]


@dataclass
class Clock:
    """The database's time, and how much later it is."""

    later: timedelta = timedelta()

    def __call__(self) -> datetime:
        return sessions.server_time(DEFAULT_DB_ALIAS) + self.later
