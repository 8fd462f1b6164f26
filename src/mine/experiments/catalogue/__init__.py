"""One small file an experiment."""
