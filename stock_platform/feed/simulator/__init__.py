"""A market that is a pure function of (seed, symbol, second), behind a server that speaks Yahoo's streaming protocol.

    shape    how lively a market is in each second of a day
    market   prices and volumes of a day, from the seed
    server   the streaming protocol"""
