"""Measurements, and made-up results to measure with."""
