"""Flows: the scripts that authors write, their compiler, and the dialogue that runs them."""
