"""Turns the measured JSON into a table and a picture for people."""
