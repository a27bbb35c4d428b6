"""What the rules answer to each task: one module a task, each from a question to the reply's fields."""
