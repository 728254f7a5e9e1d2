"""Statistics: rows of whitelisted views, with the loads that they contain."""
