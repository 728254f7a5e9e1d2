"""The views to refresh."""
