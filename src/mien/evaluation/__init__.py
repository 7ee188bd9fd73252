"""Metrics on arrays, one file a task. Nothing here runs a network or opens an image."""
