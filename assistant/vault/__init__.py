"""One encrypted vault a person: its keys, its header, its database, and what is kept in it."""
