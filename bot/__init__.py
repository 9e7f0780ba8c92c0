"""Loa Số: the program. Adapters translate, rules decide, the database remembers, `bot.app` ties the knot."""
