"""Lecture 4: projections and projected gradient descent; proximity operators and proximal gradient descent."""
