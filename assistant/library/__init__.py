"""The library: cards in three languages, how they are read, checked, indexed and found."""
