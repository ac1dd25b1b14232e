"""The local models, each in a worker process of its own, and the faces the rest of Peili sees."""
