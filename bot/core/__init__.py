"""Values, contracts, errors, clock and text: everything that needs no I/O."""
