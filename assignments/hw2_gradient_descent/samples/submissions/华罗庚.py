# 第二次作业
import numpy as np

# 最小二乘
def least_squares_value(A, b, x):
    r = A.dot(x) - b
    return r.dot(r) / 2

def least_squares_gradient(A, b, x):
    return A.T.dot(A.dot(x) - b)

def least_squares_constants(A):
    return np.linalg.norm(A, 2) ** 2, np.linalg.norm(A, -2) ** 2

# 梯度下降
def gradient_descent(gradient, x0, learning_rate, num_steps):
    xs = np.zeros((num_steps + 1, len(x0)))
    xs[0] = x0
    for k in range(num_steps):
        xs[k + 1] = xs[k] - learning_rate * gradient(xs[k])
    return xs

# 逻辑回归
def logistic_value(A, b, x):
    return np.logaddexp(0, -b * A.dot(x)).mean()

def logistic_gradient(A, b, x):
    z = b * A.dot(x)
    s = np.where(z > 0, np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))), 1 / (1 + np.exp(-np.abs(z))))
    return -A.T.dot(b * s) / b.size

# 三层线性网络
def linear_network_gradients(W1, W2, W3, a, b):
    h1 = W1.dot(a)
    h2 = W2.dot(h1)
    r = W3.dot(h2) - b
    return W2.T.dot(W3.T.dot(r))[:, None] * a, W3.T.dot(r)[:, None] * h1, r[:, None] * h2

if __name__ == "__main__":
    print(gradient_descent(lambda x: 2 * x, np.array([1.0, 2.0]), 0.1, 3))
