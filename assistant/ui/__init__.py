"""The front door and the page behind it: FastAPI on loopback, Gradio Blocks once a vault is open."""
