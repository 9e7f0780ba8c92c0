"""Our own HTTP client against sockets that misbehave, on both event loops."""
