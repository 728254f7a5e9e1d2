"""Groups of views that become visible together: `domain.consistent_groups` has the rules."""
