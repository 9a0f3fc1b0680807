"""Logistic regression: value, gradient, Hessian and smoothness, without overflow.

Problem     min f(x) = (1/N) sum_i ln(1 + exp(-z_i)) over R^d, with the margins z_i = b_i <a_i, x>;
            A (N, d) with rows a_i, labels b (N,) of +1 and -1.
Algorithm   value     ln(1 + exp(-z)) = logaddexp(0, -z), finite for every z
            gradient  grad f(x) = -(1/N) sum_i b_i s(-z_i) a_i,  s(-z) = 1 / (1 + exp(z)) = exp(-logaddexp(0, z))
            Hessian   Hess f(x) = (1/N) sum_i s(z_i) s(-z_i) a_i a_i^T
Guarantee   f is convex and L-smooth with L = ||A||_2^2 / (4 N), attained at x = 0 (derived: s(z) s(-z) <= 1/4; the
            course does not state it). In general f is not strongly convex, and has no minimiser where a hyperplane
            separates the labels.
Cost        value: one product with A. Gradient: one with A and one with A^T. Hessian: N d^2.
References  Notes ch. 0, page 4, example 2; homework 2, problem 2.
Catalogue   logistic_loss
Witness     finite differences; torch.autograd; sklearn LogisticRegression
"""

from __future__ import annotations

import math

import numpy as np

from reference.problem import Matrix, Vector
from reference.variants import convention, equivalent, mistake


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


def logistic_hessian(A: Matrix, b: Vector, x: Vector) -> Matrix:
    """Hess f(x) = (1/N) sum_i s(z_i) s(-z_i) a_i a_i^T, (d, d).

    The labels are in z_i only: the b_i^2 of the chain rule is 1, and s(z) s(-z) is even in z.

    Args:
        A: (N, d).
        b: (N,), each +1 or -1.
        x: (d,).
    """
    margins = b * (A @ x)
    weights = _sigmoid(margins) * _sigmoid(-margins)
    return (A.T * weights) @ A / len(b)


def logistic_smoothness(A: Matrix) -> float:
    """L = ||A||_2^2 / (4 N), the smallest smoothness constant of f (derived; the course does not state it).

    Args:
        A: (N, d).
    """
    return float(np.linalg.norm(A, 2) ** 2 / (4 * len(A)))


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
    "Your formula is right on paper, but in floating point the exponential of a large number is infinite, "
    "and that of a very negative one is 0. Try a sample with margin -1000: f is about 1000 there.",
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


# Other forms of the Hessian.


@equivalent(logistic_hessian)
def hessian_by_tanh(A: Matrix, b: Vector, x: Vector) -> Matrix:
    """s(z) s(-z) = (1 - tanh(z/2)^2) / 4, exact up to absolute rounding; the labels drop out."""
    weights: Vector = (1 - np.tanh(A @ x / 2) ** 2) / 4
    return A.T @ np.diag(weights) @ A / len(b)


@equivalent(logistic_hessian)
def hessian_sample_by_sample(A: Matrix, b: Vector, x: Vector) -> Matrix:
    """A loop over the samples; the exponent is never positive."""
    total = np.zeros((A.shape[1], A.shape[1]))
    for a_i in A:
        decay = math.exp(-abs(float(a_i @ x)))
        total = total + decay / (1 + decay) ** 2 * np.outer(a_i, a_i)
    return total / len(b)


@mistake(
    logistic_hessian,
    "Your Hessian is the same at every point, like that of least squares. "
    "The curvature of a sample depends on its margin.",
)
def hessian_without_weights(A: Matrix, b: Vector, x: Vector) -> Matrix:
    """A^T A / N: at least four times too large."""
    return A.T @ A / len(b)


@mistake(
    logistic_hessian,
    "Your weights are those of the gradient. Differentiate the sigmoid once more.",
)
def hessian_with_weights_of_gradient(A: Matrix, b: Vector, x: Vector) -> Matrix:
    """(1/N) sum_i s(-z_i) a_i a_i^T."""
    margins = b * (A @ x)
    return (A.T * _sigmoid(-margins)) @ A / len(b)


@mistake(
    logistic_hessian,
    "Samples with label -1 bend your function downwards. How often does the label appear when you differentiate twice?",
)
def hessian_with_label(A: Matrix, b: Vector, x: Vector) -> Matrix:
    """(1/N) sum_i b_i s(z_i) s(-z_i) a_i a_i^T. Invisible where every label is +1."""
    margins = b * (A @ x)
    return (A.T * (b * _sigmoid(margins) * _sigmoid(-margins))) @ A / len(b)


@mistake(logistic_hessian, "Your Hessian is too large by the number of samples. Is f a sum or an average?")
def hessian_sum_instead_of_mean(A: Matrix, b: Vector, x: Vector) -> Matrix:
    """N Hess f(x). Invisible for N = 1."""
    margins = b * (A @ x)
    return (A.T * (_sigmoid(margins) * _sigmoid(-margins))) @ A


@mistake(
    logistic_hessian,
    "Your formula is right on paper, but in floating point it becomes infinity divided by infinity. "
    "Try a sample with margin -1000 and see which quotient you compute.",
)
def hessian_overflow(A: Matrix, b: Vector, x: Vector) -> Matrix:
    """The printed quotient exp(-z)/(1 + exp(-z))^2; nan for margins below -709. Invisible on moderate margins."""
    with np.errstate(over="ignore", invalid="ignore"):
        exponentials = np.exp(-b * (A @ x))
        weights: Vector = exponentials / (1 + exponentials) ** 2
        return (A.T * weights) @ A / len(b)


# Other forms of the smoothness constant.


@equivalent(logistic_smoothness)
def smoothness_from_eigenvalue(A: Matrix) -> float:
    """The largest eigenvalue of the Hessian at 0, A^T A / (4 N)."""
    return float(np.linalg.eigvalsh(A.T @ A / (4 * len(A)))[-1])


@convention(
    logistic_smoothness,
    "The largest constant of a single sample's loss: f is smooth with it too, but smaller ones may do.",
)
def smoothness_of_worst_sample(A: Matrix) -> float:
    """max_i ||a_i||^2 / 4; at least L, and equal to it for N = 1 or rows that are all the same up to sign."""
    return float(np.max(np.sum(A**2, axis=1)) / 4)


@mistake(
    logistic_smoothness,
    "Your L is that of least squares. How large can s(z) s(-z) get?",
)
def smoothness_without_quarter(A: Matrix) -> float:
    """||A||_2^2 / N."""
    return float(np.linalg.norm(A, 2) ** 2 / len(A))


@mistake(logistic_smoothness, "Your L grows when every sample is taken twice, and f does not change then.")
def smoothness_of_sum(A: Matrix) -> float:
    """||A||_2^2 / 4. Invisible for N = 1."""
    return float(np.linalg.norm(A, 2) ** 2 / 4)


@mistake(
    logistic_smoothness,
    "Your L doubles when A doubles. How often does A appear in the Hessian?",
)
def smoothness_from_plain_norm(A: Matrix) -> float:
    """||A||_2 / (4 N). Invisible for ||A||_2 = 1."""
    return float(np.linalg.norm(A, 2) / (4 * len(A)))
