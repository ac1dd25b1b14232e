"""The parts of the person's page: each file builds its components (`build_*`) and binds what they do (`wire_*`)."""
