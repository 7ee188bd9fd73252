"""Arithmetic on boxes, points and similarities: numpy only."""
