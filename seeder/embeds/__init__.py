"""A badge and a fragment for the pages of others: how fresh the data of an agency are."""
