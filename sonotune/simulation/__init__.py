"""Simulated ultrasound and collages of photographs."""
