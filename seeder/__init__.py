"""Keeps PostgreSQL materialized views fresh, and says what failed and why."""

__version__ = "0.1.0"
