"""Load: how many whole calls a core of this machine holds, beside vosk-server (``make load``).

Callers in a process of their own speak with the real bot (``agi-bot serve``) over FastAGI
and AudioSocket, as Asterisk would.  The bot is pinned to the first ``--cores`` cores, the
callers to the others, so that neither takes the other's time.
"""
