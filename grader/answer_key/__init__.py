"""The reference's answer to each experiment: its numbers, the derived tolerance, and what the mistakes give."""
