"""A night of a large platform, by a clock that only the simulation moves."""
