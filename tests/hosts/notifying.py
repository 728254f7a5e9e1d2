"""Settings of a host with one channel, whose address is in the environment."""

import os

from settings.test import *  # noqa: F403  # settings extend another module

SEEDER = {
    "NOTIFICATIONS": {
        "pager": {
            "webhook": os.environ["PAGER_URL"],
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "timeout_seconds": 60,
        }
    }
}
