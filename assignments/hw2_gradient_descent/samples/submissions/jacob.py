# %% [markdown]
# # Homework 2: gradient descent
#
# *Optimization for Deep Learning*, lecture 2
#
# Every optimizer of this course, up to Adam on a transformer, is gradient descent with additions. In this
# homework you build the plain method, and the gradients that it needs, in NumPy:
#
# | part | what you write | points |
# |---|---|---|
# | 1 | least squares: value, gradient, constants $L$ and $\mu$ | 3 |
# | 2 | gradient descent | 6 |
# | 3 | logistic regression: value and gradient that survive large numbers | 3 |
# | 4 | gradients of a three-layer linear network, by hand | 3 |
# | 5 | three short proofs | 5 |
#
# **How to work.** Replace each line `raise NotImplementedError(...)` by your solution. Keep the names of the
# functions and the order of their arguments. You may add cells and helper functions wherever you like. If you
# prefer a script to a notebook, work in the `.py` file instead: it is the same text. Hand in one of the two.
#
# **How it is graded.** Your functions are called on several problems, some of which you know and some of
# which you do not. For gradient descent we look at all the iterates, not only at the last one, and compare
# them with a reference; how close they must be follows from the rounding errors of the problem itself, so any
# correct way of computing them is accepted, also in single precision. Besides, we test its rate of
# convergence, the bound of the theorem, how often it evaluates the gradient, and that it leaves its
# arguments as they were. If something is wrong, the feedback says where it first goes wrong and, if we
# recognise the mistake, what kind of mistake it is. Each check gives all of its points or none. The proofs
# are read by a person. How your code looks and how fast it is are not graded, but each call must end within
# seconds.
#
# **How to check your work.** In a terminal, in the folder of this file:
#
# ```
# grader check hw2 hw2.ipynb
# ```
#
# This runs the public experiments and shows what you would be told. The hidden ones are of the same kind, on
# other data.
#
# **Conventions.** Vectors have the shape `(d,)`, never `(d, 1)`. $\|\cdot\|$ is the Euclidean norm, for
# matrices the spectral norm. The learning rate is $\gamma$ in formulas and `learning_rate` in code.
# `gradient_descent` must not change the arrays that it is given; the other functions should not either.

# %%
import numpy as np

# %% [markdown]
# ## 1. Least squares (3 points)
#
# Given $A\in\mathbb R^{n\times d}$ and $b\in\mathbb R^n$, let
#
# $$ f(x) = \tfrac12\,\|Ax-b\|^2, \qquad x\in\mathbb R^d . $$
#
# Mind the factor $\tfrac12$, and that nothing is divided by $n$.
#
# **1a (1 point).** Implement $f$.

# %%
def least_squares_value(A, b, x):
    """Value of f(x) = 1/2 ||Ax - b||^2.

    Args:
        A: matrix, shape (n, d).
        b: right-hand side, shape (n,).
        x: point, shape (d,).

    Returns:
        f(x), a float.
    """
    residual = A @ x - b
    return 0.5 * float(residual @ residual)


# %% [markdown]
# **1b (1 point).** Derive $\nabla f(x)$ and implement it.
#
# You can test any gradient without knowing the right answer. For a small $h$ and every unit vector $e_i$,
#
# $$ \frac{f(x+h e_i)-f(x-h e_i)}{2h} \approx \frac{\partial f}{\partial x_i}(x) . $$
#
# Take $h\approx 10^{-5}$: for a larger $h$ the formula is inexact, for a much smaller one the subtraction
# loses all digits.

# %%
def least_squares_gradient(A, b, x):
    """Gradient of f(x) = 1/2 ||Ax - b||^2.

    Args:
        A: matrix, shape (n, d).
        b: right-hand side, shape (n,).
        x: point, shape (d,).

    Returns:
        The gradient of f at x, shape (d,).
    """
    return A.T @ (A @ x - b)


# %% [markdown]
# **1c (1 point).** A differentiable function is *$L$-smooth* if $\|\nabla f(x)-\nabla f(y)\|\le L\|x-y\|$ for
# all $x, y$, and *$\mu$-strongly convex* if $f(y)\ge f(x)+\langle\nabla f(x),y-x\rangle+\frac\mu2\|y-x\|^2$
# for all $x, y$. Compute the smallest such $L$ and the largest such $\mu$ for least squares with a matrix $A$
# that has at least as many rows as columns, $n\ge d$.
#
# The Hessian tells you what they are. Think about which of the matrices $A^\top A$ and $AA^\top$ you need:
# for $n>d$ one of them always has the eigenvalue 0.

# %%
def least_squares_constants(A):
    """Smoothness and strong convexity of f(x) = 1/2 ||Ax - b||^2.

    Args:
        A: matrix, shape (n, d) with n >= d.

    Returns:
        (L, mu), two floats: the smallest L for which f is L-smooth, the largest mu for which it is mu-strongly convex.
    """
    singular_values = np.linalg.svd(A, compute_uv=False)
    return float(singular_values[0] ** 2), float(singular_values[-1] ** 2)


# %% [markdown]
# ## 2. Gradient descent (6 points)
#
# To minimise a differentiable $f:\mathbb R^d\to\mathbb R$, start anywhere and walk downhill:
#
# $$ x_{k+1} = x_k - \gamma\,\nabla f(x_k), \qquad k=0,1,\dots,K-1 . $$
#
# The learning rate $\gamma>0$ stays the same in all steps, and the method makes all $K$ steps: no stopping
# rule, no decay. What it promises depends on $f$. With a minimiser $x^\star$, the least value $f^\star$,
# $D=\|x_0-x^\star\|$, $\Delta=f(x_0)-f^\star$ and $g_k=\|\nabla f(x_k)\|$:
#
# | $f$ is $L$-smooth and | $\gamma$ | guarantee |
# |---|---|---|
# | bounded below by $f^\star$ | $1/L$ | the mean of $g_0^2,\dots,g_K^2$ is at most $2L\Delta/(K+1)$ |
# | convex | $1/(2L)$ | $f(x_K)-f^\star\le 2LD^2/(K+1)$ |
# | $\mu$-strongly convex | $2/(L+\mu)$ | $\lVert x_K-x^\star\rVert\le\bigl(\frac{L-\mu}{L+\mu}\bigr)^K D$ |
#
# The exponent in the last row is $K$: after no step at all, both sides are equal. (Where you have seen $K+1$,
# it was a misprint.)
#
# **2 (6 points).** Implement gradient descent. It returns all the iterates, $x_0$ included: row $k$ of the
# result is $x_k$.
#
# Three things that are easy to get wrong in NumPy:
#
# - `x -= step` changes the array in place. Whoever else holds that array, for instance a list of iterates or
#   the person who called you with `x0`, sees the change.
# - `np.array([10, 1])` holds whole numbers. An array of that type cannot hold $0.3$, and cuts it to $0$
#   without a word.
# - Each call of `gradient` costs as much as a pass through the data. The method needs one call a step, $K$ in
#   all; one more at the last point is accepted.
#
# | check | points |
# |---|---|
# | iterates on several problems | 2.5 |
# | a start of whole numbers | 0.5 |
# | linear rate | 1 |
# | bound of the theorem | 1 |
# | number of gradient evaluations | 0.5 |
# | arguments left unchanged | 0.5 |

# %%
def gradient_descent(gradient, x0, learning_rate, num_steps):
    """Gradient descent with a constant learning rate.

    Args:
        gradient: function that maps a point of shape (d,) to the gradient there, shape (d,).
        x0: starting point, shape (d,); floats or whole numbers.
        learning_rate: the step size gamma > 0.
        num_steps: the number of steps K >= 0.

    Returns:
        The iterates x_0, ..., x_K as rows, shape (num_steps + 1, d).
    """
    x = np.array(x0, dtype=float)
    path = [x]
    norms = []
    for k in range(num_steps):
        norms.append(np.linalg.norm(gradient(x)))
        x = x - learning_rate * gradient(x)
        path.append(x)
    return np.array(path)



# %% [markdown]
# ### A small experiment (no points)
#
# How does the learning rate decide about convergence? The next cell runs your functions on a least squares
# problem with $\kappa=L/\mu=20$ and prints the distance $\|x_k-x^\star\|$. Look at it before you go on. Which
# column is fastest, and is it the one that the theory recommends? What happens beyond $2/L$, and why so
# suddenly? Change the condition number, and plot the distances with a logarithmic axis if you like: a linear
# rate is a straight line.

# %%
def experiment(condition=20.0, num_steps=60):
    """Print the distance to the minimiser for several learning rates; the problem has L = condition and mu = 1."""
    rng = np.random.default_rng(2)
    U, _ = np.linalg.qr(rng.standard_normal((30, 8)))
    V, _ = np.linalg.qr(rng.standard_normal((8, 8)))
    A = U @ np.diag(np.sqrt(np.linspace(1.0, condition, 8))) @ V.T
    minimizer = rng.standard_normal(8)
    b = A @ minimizer
    L, mu = least_squares_constants(A)
    rates = {"1/(2L)": 0.5 / L, "1/L": 1 / L, "2/(L+mu)": 2 / (L + mu), "2.1/L": 2.1 / L}
    print("    k" + "".join(f"{name:>12}" for name in rates))
    distances = []
    for rate in rates.values():
        iterates = gradient_descent(lambda x: least_squares_gradient(A, b, x), np.zeros(8), rate, num_steps)
        distances.append(np.linalg.norm(iterates - minimizer, axis=1))
    for k in range(0, num_steps + 1, 10):
        print(f"{k:5d}" + "".join(f"{distance[k]:12.2e}" for distance in distances))


experiment()

# %% [markdown]
# ## 3. Logistic regression (3 points)
#
# For data points $a_1,\dots,a_n\in\mathbb R^d$ (the rows of $A$) with labels $b_i\in\{-1,+1\}$, logistic
# regression minimises
#
# $$ f(x) = \frac1n\sum_{i=1}^n \ln\bigl(1+\exp(-b_i\,a_i^\top x)\bigr) . $$
#
# This is a *mean*. The number $z_i=b_i\,a_i^\top x$ is called the margin of point $i$: it is positive if the
# point is classified correctly. Check your formula for the gradient at the two ends: a point with a large
# positive margin should contribute almost nothing, one with a large negative margin almost $-b_i a_i/n$.
#
# **3a, 3b (1 point each).** Implement value and gradient.
#
# **3c (1 point).** Both must be right for margins of $\pm1000$, too. Since $e^{710}$ is too large for a
# float, the formulas as they stand give `inf` or `nan` there, although the true values are harmless: for a
# single point with margin $-1000$ the loss is $1000$. Rewrite the formulas so that no exponential of a large
# positive number occurs, or look for a NumPy function that does; `np.logaddexp` is worth knowing. Clipping
# the margins is no way out: it changes the function.

# %%
def logistic_value(A, b, x):
    """Value of f(x) = (1/n) sum_i log(1 + exp(-b_i a_i^T x)).

    Args:
        A: data points as rows, shape (n, d).
        b: labels -1 or +1, shape (n,).
        x: point, shape (d,).

    Returns:
        f(x), a float; accurate also for margins of +-1000.
    """
    margins = b * (A @ x)
    return float(np.mean(np.logaddexp(0.0, -margins)))


# %%
def logistic_gradient(A, b, x):
    """Gradient of f(x) = (1/n) sum_i log(1 + exp(-b_i a_i^T x)).

    Args:
        A: data points as rows, shape (n, d).
        b: labels -1 or +1, shape (n,).
        x: point, shape (d,).

    Returns:
        The gradient of f at x, shape (d,); accurate also for margins of +-1000.
    """
    margins = b * (A @ x)
    weights = np.exp(-np.logaddexp(0.0, margins))
    return -A.T @ (b * weights) / len(b)


# %% [markdown]
# ## 4. A three-layer linear network (3 points)
#
# Before frameworks differentiate for you, do it once by hand. A linear network with weights
# $W_1\in\mathbb R^{q\times d}$, $W_2\in\mathbb R^{p\times q}$, $W_3\in\mathbb R^{m\times p}$ maps the input
# $a\in\mathbb R^d$ to
#
# $$ h_1=W_1a, \qquad h_2=W_2h_1, \qquad o=W_3h_2, $$
#
# and is trained on the loss $f(W_1,W_2,W_3)=\frac12\|o-b\|^2$ with a target $b\in\mathbb R^m$. Although every
# layer is linear, $f$ is not convex in the weights.
#
# **4 (1 point for each matrix).** Derive the gradients $G_1, G_2, G_3$ of $f$ with respect to $W_1, W_2, W_3$
# and implement them.
#
# Work from the output back to the input, and ask of each layer: how does $f$ change if the *output* of this
# layer changes? The shapes help: $G_\ell$ must have the shape of $W_\ell$. They help only if the layers
# differ in width, so test with $d, q, p, m$ all different. A check that needs no reference: correct gradients
# satisfy $W_3^\top G_3=G_2W_2^\top$ and $W_2^\top G_2=G_1W_1^\top$. (Why?)

# %%
def linear_network_gradients(W1, W2, W3, a, b):
    """Gradients of 1/2 ||W3 W2 W1 a - b||^2 with respect to the three matrices.

    Args:
        W1: weights of the first layer, shape (q, d).
        W2: weights of the second layer, shape (p, q).
        W3: weights of the third layer, shape (m, p).
        a: input, shape (d,).
        b: target, shape (m,).

    Returns:
        (G1, G2, G3): gradients with respect to W1, W2, W3, of their shapes.
    """
    h1 = W1 @ a
    h2 = W2 @ h1
    delta3 = W3 @ h2 - b
    delta2 = W3.T @ delta3
    delta1 = W2.T @ delta2
    return np.outer(delta1, a), np.outer(delta2, h1), np.outer(delta3, h2)


# %% [markdown]
# ## 5. Proofs (5 points)
#
# Let $f(x)=\frac12\|Ax-b\|^2$ with $A\in\mathbb R^{n\times d}$ of full column rank. Prove, with the
# definitions of part 1:
#
# - **Convexity (1 point).** $f$ is convex.
# - **Smoothness (2 points).** $f$ is $L$-smooth; say with which $L$.
# - **Strong convexity (2 points).** $f$ is $\mu$-strongly convex; say with which $\mu$, and where you use that the
#   columns of $A$ are independent.
#
# (The printed sheet also asks for a proof that the loss of logistic regression is convex. It is left out here.)
#
# You may use everything from lecture 1, if you say what you use. Write in the next cell and, if you like, in
# further Markdown cells directly below it. Leave the first line of the next cell as it is: it is invisible in
# Jupyter, and by it we find your answer.

# %% [markdown]
# <!-- answer: proofs -->
# *Write your proof here.*
