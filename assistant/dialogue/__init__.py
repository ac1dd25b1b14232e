"""What Peili exists for: it listens, arranges the actor's own words, and asks the next good question."""
