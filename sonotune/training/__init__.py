"""Training: the recipe, and one cell from arrays to predictions."""
