"""What model calls took."""
