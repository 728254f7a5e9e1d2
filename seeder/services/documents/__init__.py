"""JSON documents that commands print and the API returns.

An object has the same field names in both. Times are ISO 8601 in UTC, and durations are seconds.
"""
