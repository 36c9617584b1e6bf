"""Hearing and speaking: recognisers, voices, prompts, voice activity, turn-taking."""
