"""Helper functions of Sophie."""

import numpy as np


def residual(A, x, b):
    return A @ x - b


def log_one_plus_exp(z):
    return np.logaddexp(0.0, z)
