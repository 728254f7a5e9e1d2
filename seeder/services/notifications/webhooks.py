"""Sends one webhook, signed as Standard Webhooks."""

import json
from datetime import datetime

from seeder.domain.notifications import events
from seeder.domain.notifications.channels import Webhook
from seeder.domain.notifications.signing import signed_headers
from seeder.services.documents.document_fields import camel_case
from seeder.services.notifications.http_posts import Answer, post
from seeder.services.notifications.outbox import ClaimedNotification


def send(webhook: Webhook, row: ClaimedNotification, *, now: datetime) -> Answer:
    """Send a notification, which has the same id in each attempt. Raises `NoAnswer`."""
    data = {camel_case(name): value for name, value in row.facts.items()}
    payload = {"type": events.Event(row.event).webhook_type, "timestamp": row.created_at.isoformat(), "data": data}
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    headers = signed_headers(webhook.secrets, message_id=f"msg_{row.id}", sent_at=now, body=body)
    return post(webhook.url, body, headers, timeout=webhook.timeout)
