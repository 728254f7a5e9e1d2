"""What there is to refresh."""
