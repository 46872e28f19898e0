"""What every provider is held to, as tests that anybody can run on a provider of their own."""
