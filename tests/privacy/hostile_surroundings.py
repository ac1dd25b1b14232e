"""Everything a person or a machine might have set that would send data out, were it listened to."""

HOSTILE = {
    "GRADIO_SHARE": "True",
    "GRADIO_SERVER_NAME": "0.0.0.0",  # noqa: S104 - what a person might have set
    "GRADIO_ANALYTICS_ENABLED": "True",
    "ANONYMIZED_TELEMETRY": "True",
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_API_KEY": "key",
    "LANGCHAIN_TRACING_V2": "true",
    "HF_HUB_OFFLINE": "0",
    "HF_TOKEN": "token",
    "HTTPS_PROXY": "http://198.51.100.7:3128",
    "https_proxy": "http://198.51.100.7:3128",
    "PYTHONFAULTHANDLER": "1",
}
