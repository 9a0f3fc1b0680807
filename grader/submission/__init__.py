"""What was handed in: reading files and folders, taking notebooks and scripts apart."""
