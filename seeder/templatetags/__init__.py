"""What templates of the admin pages draw with."""
