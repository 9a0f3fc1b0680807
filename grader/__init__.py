"""Grades numerical and machine-learning homework: trajectories, rates, theorem bounds and oracle calls."""

__version__ = "0.1.0"
