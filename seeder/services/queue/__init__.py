"""What is asked for now and done by whichever worker gets to it."""
