"""A demo data set: public crime records, and the reports that agencies would ask of them. Never part of the wheel."""
