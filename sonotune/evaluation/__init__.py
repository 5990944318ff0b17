"""Scores of stored predictions."""
