"""How it is said: one thin adapter per way out. A channel renders and sends; it decides nothing about who, when or how often."""
