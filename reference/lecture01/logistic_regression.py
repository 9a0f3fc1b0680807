"""Logistic regression: value and gradient, without overflow.

Problem     min f(x) = (1/N) sum_i ln(1 + exp(-z_i)) over R^d, with the margins z_i = b_i <a_i, x>;
            A (N, d) with rows a_i, labels b (N,) of +1 and -1.
Algorithm   value     ln(1 + exp(-z)) = logaddexp(0, -z), finite for every z
            gradient  grad f(x) = -(1/N) sum_i b_i s(-z_i) a_i,  s(-z) = 1 / (1 + exp(z)) = exp(-logaddexp(0, z))
Guarantee   f is convex and L-smooth with L = ||A||_2^2 / (4 N), attained at x = 0 (derived: s(z) s(-z) <= 1/4; the
            course does not state it). In general f is not strongly convex, and has no minimiser where a hyperplane
            separates the labels.
Cost        value: one product with A. Gradient: one with A and one with A^T.
References  Notes ch. 0, page 4, example 2; homework 2, problem 2.
Catalogue   logistic_loss
Witness     finite differences; torch.autograd
"""

from __future__ import annotations

import math

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import equivalent, mistake


def logistic_value(A: Matrix, b: Vector, x: Vector) -> float:
    """f(x) = (1/N) sum_i ln(1 + exp(-b_i <a_i, x>)).

    Args:
        A: (N, d).
        b: (N,), each +1 or -1.
        x: (d,).
    """
    margins = b * (A @ x)
    return float(np.mean(np.logaddexp(0.0, -margins)))


def logistic_gradient(A: Matrix, b: Vector, x: Vector) -> Vector:
    """grad f(x) = -(1/N) sum_i b_i a_i / (1 + exp(b_i <a_i, x>)), (d,).

    Args:
        A: (N, d).
        b: (N,), each +1 or -1.
        x: (d,).
    """
    margins = b * (A @ x)
    return -A.T @ (b * _sigmoid(-margins)) / len(b)


def _sigmoid(z: Vector) -> Vector:
    """1 / (1 + exp(-z)) to full relative precision, elementwise: no overflow, no cancellation."""
    return np.exp(-np.logaddexp(0.0, -z))


# Other forms of the value.


@equivalent(logistic_value)
def value_by_cases(A: Matrix, b: Vector, x: Vector) -> float:
    """max(0, -z) + ln(1 + exp(-|z|)): the exponent is never positive."""
    margins = b * (A @ x)
    return float(np.mean(np.maximum(0.0, -margins) + np.log1p(np.exp(-np.abs(margins)))))


@equivalent(logistic_value)
def value_cross_entropy(A: Matrix, b: Vector, x: Vector) -> float:
    """Cross-entropy with the labels moved to y = (b + 1)/2 in {0, 1}: mean of ln(1 + exp(s)) - y s, s = A x."""
    scores = A @ x
    labels = (b + 1) / 2
    return float(np.mean(labels * np.logaddexp(0.0, -scores) + (1 - labels) * np.logaddexp(0.0, scores)))


@equivalent(logistic_value)
def value_sample_by_sample(A: Matrix, b: Vector, x: Vector) -> float:
    """A loop over the samples with the functions of `math`."""
    total = 0.0
    for a_i, b_i in zip(A, b, strict=True):
        z = float(b_i * (a_i @ x))
        total += math.log1p(math.exp(-z)) if z > 0 else -z + math.log1p(math.exp(z))
    return total / len(b)


@mistake(
    logistic_value,
    "Your value grows with the number of samples, although f is defined as an average over them.",
)
def value_sum_instead_of_mean(A: Matrix, b: Vector, x: Vector) -> float:
    """N f(x)."""
    return float(np.sum(np.logaddexp(0.0, -b * (A @ x))))


@mistake(
    logistic_value,
    "Your formula is right on paper, but in floating point the exponential of a large number is infinite. "
    "Try a sample with margin -1000: f is about 1000 there.",
)
def value_overflow(A: Matrix, b: Vector, x: Vector) -> float:
    """The definition as it stands; infinite for margins below -709. Invisible on moderate margins."""
    with np.errstate(over="ignore"):
        return float(np.mean(np.log(1 + np.exp(-b * (A @ x)))))


@mistake(
    logistic_value,
    "Your value rewards wrong predictions: it gets smaller when a sample lies deeper on the wrong side. "
    "Check the sign in the exponent.",
)
def value_wrong_margin_sign(A: Matrix, b: Vector, x: Vector) -> float:
    """Mean of ln(1 + exp(+z_i)). Invisible at x = 0."""
    return float(np.mean(np.logaddexp(0.0, b * (A @ x))))


@mistake(
    logistic_value,
    "Samples with label +1 are right and those with label -1 are not: the formula that you use expects other labels.",
)
def value_zero_one_labels(A: Matrix, b: Vector, x: Vector) -> float:
    """Cross-entropy for labels in {0, 1}, fed with -1 and +1. Invisible where every label is +1."""
    scores = A @ x
    return float(np.mean(b * np.logaddexp(0.0, -scores) + (1 - b) * np.logaddexp(0.0, scores)))


# Other forms of the gradient.


@equivalent(logistic_gradient)
def gradient_by_cases(A: Matrix, b: Vector, x: Vector) -> Vector:
    """s(-z) from exp(-|z|), with one formula for each sign of z: the exponent is never positive."""
    margins = b * (A @ x)
    decay = np.exp(-np.abs(margins))
    weights: Vector = np.where(margins > 0, decay, 1.0) / (1 + decay)
    return -A.T @ (b * weights) / len(b)


@equivalent(logistic_gradient)
def gradient_by_tanh(A: Matrix, b: Vector, x: Vector) -> Vector:
    """s(-z) = (1 - tanh(z/2)) / 2, exact up to absolute rounding."""
    margins = b * (A @ x)
    weights: Vector = (1 - np.tanh(margins / 2)) / 2
    return -A.T @ (b * weights) / len(b)


@equivalent(logistic_gradient)
def gradient_by_clipping(A: Matrix, b: Vector, x: Vector) -> Vector:
    """Margins clipped to +-500, where s(-z) is 0 or 1 up to 1e-217 anyway."""
    margins = np.clip(b * (A @ x), -500, 500)
    weights: Vector = 1 / (1 + np.exp(margins))
    return -A.T @ (b * weights) / len(b)


@equivalent(logistic_gradient)
def gradient_sample_by_sample(A: Matrix, b: Vector, x: Vector) -> Vector:
    """A loop over the samples with the functions of `math`."""
    total = np.zeros(A.shape[1])
    for a_i, b_i in zip(A, b, strict=True):
        z = float(b_i * (a_i @ x))
        weight = math.exp(-z) / (1 + math.exp(-z)) if z > 0 else 1 / (1 + math.exp(z))
        total = total - b_i * weight * a_i
    return total / len(b)


@mistake(
    logistic_gradient,
    "Your gradient points the right way but is too long, by the number of samples. Is f a sum or an average?",
)
def gradient_sum_instead_of_mean(A: Matrix, b: Vector, x: Vector) -> Vector:
    """N grad f(x)."""
    margins = b * (A @ x)
    return -A.T @ (b * _sigmoid(-margins))


@mistake(
    logistic_gradient,
    "Your vector points exactly against the gradient. Differentiate the exponent once more: it contributes a factor.",
)
def gradient_wrong_sign(A: Matrix, b: Vector, x: Vector) -> Vector:
    """-grad f(x)."""
    margins = b * (A @ x)
    return A.T @ (b * _sigmoid(-margins)) / len(b)


@mistake(
    logistic_gradient,
    "Your weights are large where the prediction is already right. A sample that is classified well should hardly "
    "contribute: what is the argument of the sigmoid?",
)
def gradient_wrong_sigmoid_argument(A: Matrix, b: Vector, x: Vector) -> Vector:
    """s(z_i) in place of s(-z_i). Invisible at x = 0, where both are 1/2."""
    margins = b * (A @ x)
    return -A.T @ (b * _sigmoid(margins)) / len(b)


@mistake(
    logistic_gradient,
    "The label appears in your margin but is lost when the margin is differentiated. "
    "What is the derivative of z_i with respect to x?",
)
def gradient_missing_label(A: Matrix, b: Vector, x: Vector) -> Vector:
    """-(1/N) sum_i s(-z_i) a_i. Invisible where every label is +1."""
    margins = b * (A @ x)
    return -A.T @ _sigmoid(-margins) / len(b)


@mistake(
    logistic_gradient,
    "Your formula is right on paper, but in floating point it becomes infinity divided by infinity. "
    "Try a sample with margin -1000 and see which quotient you compute.",
)
def gradient_overflow(A: Matrix, b: Vector, x: Vector) -> Vector:
    """The printed quotient exp(-z)/(1 + exp(-z)); nan for margins below -709. Invisible on moderate margins."""
    with np.errstate(over="ignore", invalid="ignore"):
        exponentials = np.exp(-b * (A @ x))
        weights: Vector = exponentials / (1 + exponentials)
        return -A.T @ (b * weights) / len(b)


@mistake(
    logistic_gradient,
    "Samples with label +1 contribute rightly and those with label -1 do not: "
    "the formula that you use expects other labels.",
)
def gradient_zero_one_labels(A: Matrix, b: Vector, x: Vector) -> Vector:
    """(1/N) A^T (s(A x) - b), for labels in {0, 1}, fed with -1 and +1. Invisible where every label is +1."""
    return A.T @ (_sigmoid(A @ x) - b) / len(b)
