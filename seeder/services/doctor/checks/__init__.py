"""The doctor's checks, each with its problems, its query and fixes."""
