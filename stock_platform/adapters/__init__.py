"""One door per outside system. Only here are its client libraries known."""
