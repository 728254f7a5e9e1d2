"""The doctor: checks that find problems in databases, one module each, and the loop that runs them."""
