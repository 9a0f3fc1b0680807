"""Lecture 3: heavy ball, Nesterov, Anderson acceleration, lower bounds; preconditioned gradient descent and Newton."""
