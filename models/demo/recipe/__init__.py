"""How the bundled demo model is made: espeak-ng speech, a small TDNN, OpenFst graphs."""
