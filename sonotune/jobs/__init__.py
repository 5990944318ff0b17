"""Jobs of the workflow that train: what they read, write and record around the numerics."""

# First, since it imports PyTorch with Python's collector at rest.
import sonotune.training  # noqa: F401
