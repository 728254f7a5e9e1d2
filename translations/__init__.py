"""The messages of the apps in other languages: extracted, merged into the catalogs, and compiled."""
