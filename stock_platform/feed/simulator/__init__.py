"""A market that is a pure function of (seed, symbol, second), behind a server that speaks Yahoo's streaming protocol.

shape: how lively a market is in each second; market: prices and volumes from the seed; server: the protocol."""
