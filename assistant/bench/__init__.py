"""Measurements. Each runs what it compares with in the same run: ratios hold when the machine's speed drifts."""
