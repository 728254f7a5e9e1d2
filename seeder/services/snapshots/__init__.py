"""Release snapshots of views: capture, storage and comparison."""
