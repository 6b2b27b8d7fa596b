"""The verbs of `stock-platform`, told in lines and tables, and what `up` does on the way. Not here: the program itself (cli)."""
