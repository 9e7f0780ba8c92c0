"""The web server over real HTTP."""
