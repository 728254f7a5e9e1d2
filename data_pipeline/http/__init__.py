"""Calls to other systems over HTTP, and retries of other operations."""
