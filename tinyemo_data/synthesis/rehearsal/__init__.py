"""A local server that answers as the paid services do, fails as they do, and keeps a bill of its own."""
