"""Lecture 5: zeroth-order optimisation, that is gradients estimated from function values, and descent with them."""
