"""Metrics: arrays in, numbers out. Nothing here runs a network or opens an image."""
