"""The training engine: step, validate, EMA, checkpoint, resume, log. It knows no task."""
