"""Stand-ins that tests hand to real objects where a model or a rule of another area would be."""
