"""Who refreshes it."""
