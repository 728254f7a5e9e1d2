"""What refreshing costs with this app, beside bare statements and other tools: `make bench`."""
