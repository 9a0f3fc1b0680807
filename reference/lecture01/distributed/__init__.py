"""Lecture 1, part 4: distributed algorithms. n nodes minimise f = (f_1 + ... + f_n) / n, and node i knows f_i alone."""
