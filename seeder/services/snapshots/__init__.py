"""Release snapshots: what a view held, counted, recorded and compared."""
