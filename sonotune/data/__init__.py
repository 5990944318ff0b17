"""Data: made or read, prepared, split and augmented."""
