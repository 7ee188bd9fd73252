"""Boxes, landmark schemes, similarities and head pose, in numpy."""
