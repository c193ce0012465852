"""What `make bench` measures: CPU seconds, peak memory, sizes and ratios, each in one run on one machine."""
