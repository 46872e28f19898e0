"""The executor: carries out a plan with what it is handed, and writes down every step before and after."""
