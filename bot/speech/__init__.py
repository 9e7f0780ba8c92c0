"""Speech made on the spot: a voice's program turns a text into sound, an encoder makes it small, a shelf keeps it."""
