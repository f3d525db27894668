"""One ECG in, probabilities with their context out; the bundle that they come from."""
