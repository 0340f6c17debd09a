"""Traces across the tiers: what our code says of itself, and who writes it down."""
