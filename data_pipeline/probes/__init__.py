"""Metrics of the loading lane for monitoring programs."""
