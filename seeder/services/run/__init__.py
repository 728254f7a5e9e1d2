"""What executes a run: plan, schedule, refresh, record, recover."""
