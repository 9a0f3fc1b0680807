"""Lecture 10: gradient clipping."""
