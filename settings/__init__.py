"""The host: one deployment of the app `seeder`. Nothing in seeder/ imports it."""
