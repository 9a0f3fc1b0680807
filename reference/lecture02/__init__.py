"""Lecture 2: gradient descent, and the gradients of a three-layer linear network."""
