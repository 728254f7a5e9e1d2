"""Execution of a run: plan, schedule, refresh, record, recover."""
