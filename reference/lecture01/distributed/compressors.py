"""Compression operators: quantisers (QSGD, scaled sign) and sparsifiers (rand-k, top-k).

Problem     Send C(v) instead of v in R^d, in fewer bits and with a small error C(v) - v.
Algorithm   QSGD         Q_i = ||v|| sign(v_i) l_i / s;  s |v_i| / ||v|| is rounded to an integer l_i in {0, ..., s}, up
                         with a probability equal to its fractional part, down otherwise
            scaled sign  C(v) = (||v||_1 / d) sign(v),  sign(0) = 0
            rand-k       (d/k) v_i on k coordinates chosen uniformly, 0 on the others
            top-k        v_i on the k coordinates with the largest |v_i|, 0 on the others
Guarantee   QSGD         E Q = v,  E ||Q - v||^2 = (||v||/s)^2 sum_i p_i (1 - p_i) <= min(d/s^2, sqrt(d)/s) ||v||^2,
                         p_i the fractional part of s |v_i| / ||v||
            scaled sign  ||C(v) - v||^2 = ||v||^2 - ||v||_1^2 / d where no v_i is 0; biased
            rand-k       E C(v) = v,  E ||C(v) - v||^2 = (d/k - 1) ||v||^2
            top-k        ||C(v) - v||^2 <= (1 - k/d) ||v||^2, attained where all |v_i| are equal; biased
Cost        O(d), and a partial sort for top-k. Bits: see the last functions of this file.
References  Lecture 1, part 4, slides 9-10, which have pictures and no formulas. The operators and what is said of them
            are standard literature: Alistarh et al. 2017 (QSGD), Bernstein et al. 2018 (sign), Stich et al. 2018.
Catalogue   compressors
Witness     expectations by enumeration of all outcomes

Randomness comes from the caller: uniform numbers for QSGD, chosen coordinates for rand-k. A vector is compressed as a
whole; layer by layer, each with a norm of its own, the same operators give other results.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from reference.problem import Vector
from reference.variants import convention, equivalent, mistake

Coordinates = NDArray[np.int64]


def qsgd(v: Vector, uniforms: Vector, levels: int) -> Vector:
    """Q(v), (d,): each |v_i| / ||v|| rounded at random to a multiple of 1/s; 0 for v = 0.

    Args:
        v: vector, (d,).
        uniforms: d independent numbers, uniform on [0, 1); l_i is rounded up where uniforms[i] is below p_i.
        levels: s >= 1.
    """
    norm = np.linalg.norm(v)
    if norm == 0:
        return np.zeros(len(v))
    scaled = levels * np.abs(v) / norm
    below = np.floor(scaled)
    integers = below + (uniforms < scaled - below)
    return np.asarray(norm * np.sign(v) * integers / levels)


def scaled_sign(v: Vector) -> Vector:
    """(||v||_1 / d) sign(v), (d,); zeros stay zeros."""
    return np.asarray(np.abs(v).mean() * np.sign(v))


def rand_k(v: Vector, coordinates: Coordinates) -> Vector:
    """(d/k) v_i on the given coordinates and 0 elsewhere, (d,).

    Args:
        v: vector, (d,).
        coordinates: k different ones of 0, ..., d-1; see `draw_coordinates`.
    """
    kept = np.zeros(len(v))
    kept[coordinates] = len(v) / len(coordinates) * v[coordinates]
    return kept


def top_k(v: Vector, k: int) -> Vector:
    """The k entries of v with the largest |v_i|, 0 elsewhere, (d,). Of equal ones the lowest index is kept first."""
    largest = np.argsort(-np.abs(v), stable=True)[:k]
    kept = np.zeros(len(v))
    kept[largest] = v[largest]
    return kept


def draw_coordinates(rng: np.random.Generator, dimension: int, k: int) -> Coordinates:
    """k different coordinates of 0, ..., d-1, each set of k with the same probability; (k,)."""
    return np.asarray(rng.permutation(dimension)[:k], dtype=np.int64)


# Errors. Those of random operators are expectations, exact ones over all outcomes.


def qsgd_variance(v: Vector, levels: int) -> float:
    """E ||Q(v) - v||^2 = (||v||/s)^2 sum_i p_i (1 - p_i), exactly."""
    norm = float(np.linalg.norm(v))
    if norm == 0:
        return 0.0
    p = np.modf(levels * np.abs(v) / norm)[0]
    return float((norm / levels) ** 2 * np.sum(p * (1 - p)))


def qsgd_variance_bound(v: Vector, levels: int) -> float:
    """min(d/s^2, sqrt(d)/s) ||v||^2 >= E ||Q(v) - v||^2 (Alistarh et al. 2017, Lemma 3.1)."""
    d = len(v)
    return float(min(d / levels**2, math.sqrt(d) / levels) * np.sum(v**2))


def scaled_sign_error(v: Vector) -> float:
    """||C(v) - v||^2 = ||v||^2 - (2/d - z/d^2) ||v||_1^2 where z entries are not 0; ||v||^2 - ||v||_1^2/d for z = d."""
    d, z = len(v), np.count_nonzero(v)
    return float(np.sum(v**2) - (2 / d - z / d**2) * np.sum(np.abs(v)) ** 2)


def rand_k_variance(v: Vector, k: int) -> float:
    """E ||C(v) - v||^2 = (d/k - 1) ||v||^2, exactly."""
    return float((len(v) / k - 1) * np.sum(v**2))


def top_k_error_bound(v: Vector, k: int) -> float:
    """(1 - k/d) ||v||^2 >= ||C(v) - v||^2."""
    return float((1 - k / len(v)) * np.sum(v**2))


# Bits of one message, with codes of fixed length and 32 bits a real number. Cleverer codes need fewer.


def dense_bits(dimension: int) -> int:
    """32 d: the vector as it is."""
    return 32 * dimension


def qsgd_bits(dimension: int, levels: int) -> int:
    """32 + d (1 + ceil(log2(s+1))): the norm; a sign and an integer in {0, ..., s} for each entry."""
    return 32 + dimension * (1 + levels.bit_length())


def sign_bits(dimension: int) -> int:
    """32 + d: the scale; one bit for each entry, where none is 0."""
    return 32 + dimension


def sparse_bits(dimension: int, k: int) -> int:
    """k (32 + ceil(log2 d)): k entries with their indices."""
    return k * (32 + (dimension - 1).bit_length())


# QSGD.


@equivalent(qsgd, "Entry by entry.")
def qsgd_by_entry(v: Vector, uniforms: Vector, levels: int) -> Vector:
    """A loop; floor(r + 1 - u) would be the same rounding with probability one, but not at u = 1 - p."""
    norm = math.sqrt(sum(float(entry) ** 2 for entry in v))
    quantized = np.zeros(len(v))
    for i in range(len(v)):
        if v[i] != 0 and norm > 0:
            scaled = levels * abs(float(v[i])) / norm
            integer = math.floor(scaled)
            if uniforms[i] < scaled - integer:
                integer += 1
            quantized[i] = math.copysign(norm * integer / levels, v[i])
    return quantized


@mistake(
    qsgd,
    "You round to the nearest level, always in the same way. Small entries vanish for ever, and the mean is not v.",
)
def deterministic_rounding(v: Vector, uniforms: Vector, levels: int) -> Vector:
    """l_i = round(s |v_i| / ||v||)."""
    norm = np.linalg.norm(v)
    if norm == 0:
        return np.zeros(len(v))
    return np.asarray(norm * np.sign(v) * np.round(levels * np.abs(v) / norm) / levels)


@mistake(
    qsgd,
    "Your levels are multiples of the largest entry. The question measures entries against another norm of v.",
)
def max_norm(v: Vector, uniforms: Vector, levels: int) -> Vector:
    """||v||_inf for ||v||: unbiased as well, with a smaller variance, and another operator. Invisible for d = 1."""
    norm = np.abs(v).max()
    if norm == 0:
        return np.zeros(len(v))
    scaled = levels * np.abs(v) / norm
    below = np.floor(scaled)
    return np.asarray(norm * np.sign(v) * (below + (uniforms < scaled - below)) / levels)


@mistake(qsgd, "Your result is right with one level and too large with more: by which number do you divide at the end?")
def root_of_levels(v: Vector, uniforms: Vector, levels: int) -> Vector:
    """l_i / sqrt(s) for l_i / s. Invisible for s = 1."""
    return math.sqrt(levels) * qsgd(v, uniforms, levels)


@mistake(
    qsgd,
    "You round up with the probability of rounding down. On average, large fractions become small.",
)
def swapped_probability(v: Vector, uniforms: Vector, levels: int) -> Vector:
    """Up where u >= p."""
    norm = np.linalg.norm(v)
    if norm == 0:
        return np.zeros(len(v))
    scaled = levels * np.abs(v) / norm
    below = np.floor(scaled)
    return np.asarray(norm * np.sign(v) * (below + (uniforms >= scaled - below)) / levels)


@mistake(qsgd, "You return the code that is sent, whole numbers with a sign. What does the receiver make of it?")
def not_decoded(v: Vector, uniforms: Vector, levels: int) -> Vector:
    """sign(v_i) l_i."""
    norm = np.linalg.norm(v)
    if norm == 0:
        return np.zeros(len(v))
    return np.asarray(qsgd(v, uniforms, levels) * levels / norm)


@mistake(qsgd, "Your result is never negative. Where is the sign of the entries?")
def lost_sign(v: Vector, uniforms: Vector, levels: int) -> Vector:
    """||v|| l_i / s. Invisible where no entry is negative."""
    return np.abs(qsgd(v, uniforms, levels))


# Scaled sign.


@convention(scaled_sign, "signSGD (Bernstein et al. 2018): the sign alone, its length left to the learning rate.")
def plain_sign(v: Vector) -> Vector:
    """sign(v)."""
    return np.sign(v)


@mistake(scaled_sign, "Your result has a positive number where v is zero. Which sign has zero?")
def positive_zero(v: Vector) -> Vector:
    """sign(0) = 1. Invisible where no entry is 0."""
    return np.asarray(np.abs(v).mean() * np.where(v >= 0, 1.0, -1.0))


@mistake(scaled_sign, "Your result is too long by the number of coordinates. What is its scale the mean of?")
def sum_as_scale(v: Vector) -> Vector:
    """||v||_1 sign(v). Invisible for d = 1."""
    return np.asarray(np.abs(v).sum() * np.sign(v))


@mistake(
    scaled_sign,
    "Your result has the length of v, and an error that is larger than it has to be. Which norm is asked for?",
)
def two_norm_as_scale(v: Vector) -> Vector:
    """(||v||_2 / sqrt(d)) sign(v). Invisible where all |v_i| are equal."""
    return np.asarray(np.linalg.norm(v) / math.sqrt(len(v)) * np.sign(v))


# Rand-k.


@equivalent(rand_k, "With a mask of zeros and ones.")
def masked(v: Vector, coordinates: Coordinates) -> Vector:
    """(d/k) v * mask."""
    mask = np.isin(np.arange(len(v)), coordinates)
    return np.asarray(len(v) / len(coordinates) * v * mask)


@mistake(
    rand_k,
    "You keep the right entries, but on average your result is shorter than v. What makes up for what is left out?",
)
def unscaled(v: Vector, coordinates: Coordinates) -> Vector:
    """v_i on the chosen coordinates: biased, E C(v) = (k/d) v. Invisible for k = d."""
    kept = np.zeros(len(v))
    kept[coordinates] = v[coordinates]
    return kept


@mistake(
    rand_k, "You make what you keep smaller, so that the mean is still further from v. Which way does the factor go?"
)
def inverse_scale(v: Vector, coordinates: Coordinates) -> Vector:
    """(k/d) v_i on the chosen coordinates. Invisible for k = d."""
    kept = np.zeros(len(v))
    kept[coordinates] = len(coordinates) / len(v) * v[coordinates]
    return kept


@mistake(draw_coordinates, "You can choose the same coordinate twice, so that fewer than k are sent.")
def with_replacement(rng: np.random.Generator, dimension: int, k: int) -> Coordinates:
    """k independent coordinates. Invisible for k = 1."""
    return np.asarray(rng.integers(dimension, size=k), dtype=np.int64)


@mistake(
    draw_coordinates,
    "Your coordinates stand next to each other, and those at the ends are chosen less often than those in the middle.",
)
def contiguous_block(rng: np.random.Generator, dimension: int, k: int) -> Coordinates:
    """A block with a uniform start: coordinates near the ends have a smaller probability. Invisible for k = 1 and d."""
    return np.asarray(rng.integers(dimension - k + 1) + np.arange(k), dtype=np.int64)


# Top-k.


@convention(top_k, "Of equal entries the highest index is kept first.")
def highest_index_first(v: Vector, k: int) -> Vector:
    """Ties the other way. The same where the k-th and the next |v_i| differ."""
    return top_k(v[::-1], k)[::-1]


@mistake(top_k, "You keep the largest entries, and drop negative ones that are larger in size.")
def signed_top_k(v: Vector, k: int) -> Vector:
    """The k largest v_i. Invisible where no entry is negative."""
    largest = np.argsort(-v, stable=True)[:k]
    kept = np.zeros(len(v))
    kept[largest] = v[largest]
    return kept


@mistake(top_k, "Where entries are equal in size you keep more of them than were asked for.")
def all_ties(v: Vector, k: int) -> Vector:
    """All entries with |v_i| >= the k-th largest. Invisible where the k-th and the next |v_i| differ."""
    threshold = np.sort(np.abs(v))[-k]
    return np.where(np.abs(v) >= threshold, v, 0.0)


@mistake(top_k, "You keep the smallest entries and drop the ones that matter.")
def bottom_k(v: Vector, k: int) -> Vector:
    """The k smallest |v_i|. Invisible for k = d."""
    smallest = np.argsort(np.abs(v), stable=True)[:k]
    kept = np.zeros(len(v))
    kept[smallest] = v[smallest]
    return kept


@mistake(top_k, "You scale what you keep. That belongs to coordinates chosen at random, not to the largest ones.")
def scaled_top_k(v: Vector, k: int) -> Vector:
    """(d/k) v_i on the k largest |v_i|. Invisible for k = d."""
    return len(v) / k * top_k(v, k)
