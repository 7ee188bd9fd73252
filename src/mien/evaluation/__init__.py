"""Evaluation on public benchmarks: metrics on arrays, protocols that run a model on a data set, plots."""
