"""Pure: values in, values out. No files, network, clock, randomness, environment, logging or printing."""
