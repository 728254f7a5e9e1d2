"""Read-only checks for problems that prevent refreshes, one file for each kind."""
