"""Prediction: kept cells on new images, and files of them for other programs."""
