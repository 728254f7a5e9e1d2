"""Endpoints for monitoring programs: liveness, readiness and metrics."""
