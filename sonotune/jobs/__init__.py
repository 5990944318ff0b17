"""Jobs of the workflow that train: what they read, write and record around the numerics."""
