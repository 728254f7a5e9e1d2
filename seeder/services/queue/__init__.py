"""Queued refreshes: enqueue, dispatch, claim, execute, rescue, and watch over the cluster."""
