"""Training of the 68 points: networks, samples, losses and the task of `mien.train.loop`."""
