"""A demo: public crime records, and reports of agencies on them. Not part of the wheel."""
