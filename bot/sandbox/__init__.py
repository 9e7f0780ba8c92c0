"""Local servers that speak the platforms' protocols: for `loaso demo`, and for every test of the wire."""
