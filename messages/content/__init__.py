"""Content packs: tips, questions, facts and curricula of one language, checked before anyone sees them."""
