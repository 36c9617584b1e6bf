"""The demo: a private PBX, a simulated patient and a report."""
