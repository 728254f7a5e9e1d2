"""Data checks: loaded with the plan, run inside the refresh's transaction, recorded with its result."""
