"""The pipeline: detection, alignment and heads behind one analyzer, and tracking through a video."""
