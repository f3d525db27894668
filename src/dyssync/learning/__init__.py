"""The network, its training loop and its input, shared by models and pretraining."""
