"""The only code that runs beside student code: loads the blocks, calls the functions, sends back plain numbers.

Holds no answers and imports nothing else of the grader.
"""
