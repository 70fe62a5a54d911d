"""The questions asked of the store, one file a subject."""
