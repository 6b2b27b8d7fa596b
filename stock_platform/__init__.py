"""The stock platform: ticks in, certified bars out, and a passport for each of them."""
