"""What the benchmarks say can be believed."""
