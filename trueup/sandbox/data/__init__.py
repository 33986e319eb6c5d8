"""Lists of our own: names by culture, countries, and how the example hub's systems see people."""
