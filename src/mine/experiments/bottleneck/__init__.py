"""The information bottleneck on MNIST."""
