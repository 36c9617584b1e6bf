"""The REST API, the metrics and the health checks; needs ``pip install "agi-bot[web]"``."""
