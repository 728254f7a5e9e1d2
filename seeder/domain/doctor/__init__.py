"""The doctor's rules: what a check finds, from facts of the catalog."""
