"""The laboratory: callers play speech through a real Asterisk, and a stereo tape tells how the bot behaved.

``python -m tests.bench.lab`` (``make lab``) writes ``bench-results/lab.json`` and ``lab.html``;
``docs/benchmarks.md`` explains the figures.
"""
