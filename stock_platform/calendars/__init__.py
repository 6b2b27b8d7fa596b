"""When which market is open. Not here: which instruments are watched (feed)."""
