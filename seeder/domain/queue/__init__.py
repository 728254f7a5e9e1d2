"""Rules of the queue: partitions of a plan, states of parts, settings."""
