"""Lecture 1: preliminaries. Norms, derivatives, smoothness, convexity, and the functions that the course minimises."""
