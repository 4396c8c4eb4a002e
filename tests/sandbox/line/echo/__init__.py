"""A bot for each of LINE's own SDKs; `bot.mjs` is the one for Node."""
