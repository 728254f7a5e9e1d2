"""Data checks: conditions that the new rows of a view meet before readers see them."""
