"""Keeps the state: snapshot, journal, lock."""
