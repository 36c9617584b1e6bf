"""Coqui voices: a model in worker processes of its own, or exported to ONNX without torch."""
