"""The upstream package, as the tests play it: it brings the settings, the addresses, the agencies and the database."""
