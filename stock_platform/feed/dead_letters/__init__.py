"""Dead letters for a person: what they say, and how a mended one is sent again."""
