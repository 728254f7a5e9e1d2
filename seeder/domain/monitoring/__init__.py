"""Values that pages, API, health checks and metrics show."""
