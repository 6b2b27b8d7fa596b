"""Yahoo's streaming protocol: its schema (pricing) and a client that always comes back (stream)."""
