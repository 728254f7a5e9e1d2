"""Signatures of Standard Webhooks: https://www.standardwebhooks.com."""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime


def signed_headers(secrets: Iterable[bytes], *, message_id: str, sent_at: datetime, body: bytes) -> Mapping[str, str]:
    """Return the headers of a message. It has a signature by each secret, so that a receiver can change its own."""
    timestamp = str(int(sent_at.timestamp()))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (f"v1,{b64encode(hmac.digest(secret, content, 'sha256')).decode()}" for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }
