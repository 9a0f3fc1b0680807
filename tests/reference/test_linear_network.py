"""Gradients of 1/2 ||W3 W2 W1 a - b||^2, and what students make of them."""

import numpy as np
import pytest
import torch

from reference.lecture02 import linear_network as module
from reference.lecture02.linear_network import linear_network_gradients, linear_network_value
from reference.variants import Kind, variants

W1 = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]])
W2 = np.array([[1.0, 1.0], [0.0, 2.0], [1.0, -2.0]])
W3 = np.array([[1.0, 0.0, 1.0], [2.0, -1.0, 0.0]])
INPUT = np.array([1.0, 2.0, 3.0])
TARGET = np.array([1.0, 0.0])
EXAMPLE = W1, W2, W3, INPUT, TARGET

EQUIVALENTS = {v.identifier: v.function for v in variants(linear_network_gradients, Kind.EQUIVALENT)}
MISTAKES = {v.identifier: v.function for v in variants(linear_network_gradients, Kind.MISTAKE)}


def random_network(d, q, p, m, seed):
    rng = np.random.default_rng(seed)
    shapes = [(q, d), (p, q), (m, p), (d,), (m,)]
    return tuple(rng.standard_normal(shape) for shape in shapes)


def symmetric_network(seed):
    W1, W2, W3, a, b = random_network(3, 3, 3, 3, seed)
    return W1 + W1.T, W2 + W2.T, W3 + W3.T, a, b


def difference(function, network):
    """Largest distance of a gradient relative to the size of the right one; inf where a shape is wrong."""
    pairs = list(zip(function(*network), linear_network_gradients(*network), strict=True))
    if any(wrong.shape != right.shape for wrong, right in pairs):
        return np.inf
    return max(np.linalg.norm(wrong - right) / np.linalg.norm(right) for wrong, right in pairs)


def test_golden_numbers():
    G1, G2, G3 = linear_network_gradients(*EXAMPLE)
    np.testing.assert_array_equal(G1, [[56, 112, 168], [-14, -28, -42]])
    np.testing.assert_array_equal(G2, [[294, -42], [-98, 14], [98, -14]])
    np.testing.assert_array_equal(G3, [[84, -28, 126], [84, -28, 126]])


@pytest.mark.parametrize("widths", [(3, 2, 4, 5), (1, 1, 1, 1), (6, 4, 4, 1)])
def test_agrees_with_automatic_differentiation(widths):
    *weights, a, b = random_network(*widths, seed=1)
    tensors = [torch.tensor(W, requires_grad=True) for W in weights]
    residual = tensors[2] @ tensors[1] @ tensors[0] @ torch.tensor(a) - torch.tensor(b)
    (0.5 * residual @ residual).backward()
    for gradient, tensor in zip(linear_network_gradients(*weights, a, b), tensors, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-13, atol=1e-13)


def test_gradients_of_neighbouring_layers_are_balanced():
    W1, W2, W3, a, b = random_network(3, 2, 4, 5, seed=2)
    G1, G2, G3 = linear_network_gradients(W1, W2, W3, a, b)
    np.testing.assert_allclose(W3.T @ G3, G2 @ W2.T, atol=1e-12)
    np.testing.assert_allclose(W2.T @ G2, G1 @ W1.T, atol=1e-12)


def test_weights_are_left_as_they_are():
    network = random_network(3, 2, 4, 5, seed=2)
    before = [array.copy() for array in network]
    for function in [linear_network_gradients, *EQUIVALENTS.values()]:
        function(*network)
    for array, copy in zip(network, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("identifier", EQUIVALENTS)
@pytest.mark.parametrize("widths", [(3, 2, 4, 5), (1, 1, 1, 1), (6, 4, 4, 1), (5, 5, 5, 5)])
def test_equivalents_agree_to_rounding(identifier, widths):
    assert difference(EQUIVALENTS[identifier], random_network(*widths, seed=3)) < 1e-13


def test_the_known_mistakes():
    assert set(MISTAKES) == {
        "missing_transposes",
        "transposed_outer_products",
        "wrong_sign",
        "doubled_gradients",
        "updated_weights",
        "first_layer_in_third_gradient",
    }


@pytest.mark.parametrize("identifier", MISTAKES)
def test_every_mistake_is_off_by_at_least_half_on_square_layers(identifier):
    assert difference(MISTAKES[identifier], random_network(4, 4, 4, 4, seed=4)) > 0.5


@pytest.mark.parametrize("identifier", ["transposed_outer_products", "first_layer_in_third_gradient"])
def test_these_have_the_wrong_shape_where_widths_differ(identifier):
    assert difference(MISTAKES[identifier], random_network(3, 2, 4, 5, seed=4)) == np.inf


def test_missing_transposes_raise_where_widths_differ():
    with pytest.raises(ValueError, match="mismatch"):
        MISTAKES["missing_transposes"](*random_network(3, 2, 4, 5, seed=4))


def test_missing_transposes_are_invisible_for_symmetric_weights():
    assert difference(MISTAKES["missing_transposes"], symmetric_network(seed=5)) < 1e-13


def test_updated_weights_leave_the_last_gradient_right():
    network = random_network(3, 2, 4, 5, seed=4)
    np.testing.assert_array_equal(MISTAKES["updated_weights"](*network)[2], linear_network_gradients(*network)[2])


# The value.


def test_value():
    assert linear_network_value(*EXAMPLE) == 196
    assert type(linear_network_value(*EXAMPLE)) is float
    for variant in variants(linear_network_value, Kind.EQUIVALENT):
        network = random_network(3, 2, 4, 5, seed=2)
        assert variant.function(*network) == pytest.approx(linear_network_value(*network), rel=1e-13)


def test_gradients_are_those_of_the_value(numerical_gradient):
    network = random_network(3, 2, 4, 5, seed=2)
    for i, gradient in enumerate(linear_network_gradients(*network)):

        def value(w, i=i, shape=gradient.shape):
            weights = list(network)
            weights[i] = w.reshape(shape)
            return linear_network_value(*weights)

        np.testing.assert_allclose(gradient.ravel(), numerical_gradient(value, network[i].ravel()), atol=1e-7)


def test_mistakes_of_the_value(identifiers):
    known = {"value_without_half": 392, "value_without_target": 210.5, "value_averaged_over_outputs": 98}
    assert identifiers(linear_network_value, Kind.MISTAKE) == set(known)
    for identifier, wrong in known.items():
        assert getattr(module, identifier)(*EXAMPLE) == wrong
    W1, W2, W3, a, _ = EXAMPLE
    no_target = W1, W2, W3, a, np.zeros(2)
    assert module.value_without_target(*no_target) == linear_network_value(*no_target)
    one_output = W1, W2, W3[:1], a, TARGET[:1]
    assert module.value_averaged_over_outputs(*one_output) == linear_network_value(*one_output)
