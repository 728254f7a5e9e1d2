"""Read models for pages, API, commands and health checks."""
