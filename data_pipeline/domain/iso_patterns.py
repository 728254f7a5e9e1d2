"""Patterns of dates and timestamps in ISO 8601, for Python and PostgreSQL."""

from typing import Final

_DAY_TO_28 = "(?:0[1-9]|1[0-9]|2[0-8])"
_LEAP = "0[48]|[2468][048]|[13579][26]"
_COMMON_DAYS = (
    "(?!0000)[0-9]{4}-(?:"
    "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-{_DAY_TO_28})"
)
_LEAP_DAYS = f"(?:[0-9]{{2}}(?:{_LEAP})|(?:{_LEAP})00)-02-29"
ISO_DATE: Final = f"(?:{_COMMON_DAYS}|{_LEAP_DAYS})"

# 24:00 and 60 seconds are times of the next day and minute, so PostgreSQL would store another date.
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_ZONE = "(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"
ISO_INSTANT: Final = f"{ISO_DATE}[ T]{_CLOCK}{_ZONE}"
ISO_TIMESTAMP: Final = f"{ISO_DATE}(?:[ T]{_CLOCK}{_ZONE}?)?"

# What looks like one of them, and may not exist.
ISO_DATE_SHAPE: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
ISO_TIMESTAMP_SHAPE: Final = f"{ISO_DATE_SHAPE}(?:[ T][0-9]{{2}}:[-+0-9:.Z]+)?"
