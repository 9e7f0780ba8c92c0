"""Which way each person is reached, with the whole product against three local platforms."""
