"""Lecture 9: variance reduction."""
