"""Benchmarks against the budgets of the design, as ratios in one run: `make bench`."""
