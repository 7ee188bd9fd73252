"""Readers of the public data sets in their official layouts. They parse; no pixels are read."""
