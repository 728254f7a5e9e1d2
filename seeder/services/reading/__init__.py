"""What is read for whoever looks: as far as they may see it, and without changing anything."""
