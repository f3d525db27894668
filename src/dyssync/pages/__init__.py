"""Users' own pictures of ECG pages: is it one, what a network sees of it, is it like others."""
