"""Virtual hearts: ECG and response to pacing from the same activation."""
