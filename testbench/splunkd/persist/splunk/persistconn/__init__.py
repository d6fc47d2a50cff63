"""See `application`."""
