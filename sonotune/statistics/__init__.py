"""Tests, intervals, bootstrap and ranks of scores."""
