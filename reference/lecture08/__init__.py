"""Lecture 8: SGD with momentum, and adaptive step sizes: RMSProp, Adam, AdamW."""
