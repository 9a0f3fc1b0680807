"""Lecture 1: preliminaries. The functions that the course minimises, their gradients and constants."""
