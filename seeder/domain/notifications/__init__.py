"""Rules of notifications: which changes, which channels, when, and in which words."""
