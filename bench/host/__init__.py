"""Django projects that use the app."""
