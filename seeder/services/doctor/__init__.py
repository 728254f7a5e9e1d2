"""The doctor runs checks that find problems in databases."""
