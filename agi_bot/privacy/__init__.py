"""Masking, recordings, retention, audit."""
