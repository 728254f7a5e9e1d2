"""Release snapshots: their content, and the drift between two of them."""
