"""Lecture 2: gradient descent, its rates and examples, and the gradients of a three-layer linear network."""
