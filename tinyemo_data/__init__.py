"""tinyemo-data: build, audit and publish datasets for emotional reasoning in images."""
