"""Readers of public data sets, and the shards that training reads."""
