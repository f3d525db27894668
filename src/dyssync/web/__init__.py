"""The page for one patient and the API beside it: `dyssync serve`."""
