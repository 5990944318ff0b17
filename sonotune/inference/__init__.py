"""Prediction with trained networks on new images, and their export for other programs."""
