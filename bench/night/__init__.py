"""A simulated night of a large platform, with virtual time."""
