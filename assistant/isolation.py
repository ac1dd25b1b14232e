"""What a Peili process does before anything else: no telemetry, no network, no core dumps.

The switches have to be set before a library is imported, so this module imports none. The audit hook sees what Python
itself tries; a library that calls the operating system directly is held by the tests that run the app under strace.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_TRACING_V2": "false",
    "LANGCHAIN_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "OTEL_SDK_DISABLED": "true",
    "TOKENIZERS_PARALLELISM": "false",
    "NO_PROXY": "*",
    "no_proxy": "*",
}
_REMOVED = ("HF_TOKEN", "HF_ENDPOINT", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY", "PYTHONFAULTHANDLER")
_REMOVED_PREFIXES = ("GRADIO_",)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_NO_PROXY = frozenset({"NO_PROXY", "no_proxy"})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# In these events the address stands first (it is looked up), in those it stands behind the socket.
_LOOK_UPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})
_SENDINGS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class NetworkRefused(OSError):
    """Something in this process tried to leave the machine."""


class NetworkGuard:
    """Counts and refuses every attempt of Python code in this process to reach another machine."""

    def __init__(self) -> None:
        self.refused = 0
        self._armed = False

    def arm(self) -> None:
        """From now on only loopback and local sockets work; this cannot be undone in the process."""
        if not self._armed:
            self._armed = True
            sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[object, ...]) -> None:
        if event not in _LOOK_UPS and event not in _SENDINGS:
            return
        address = args[0] if event in _LOOK_UPS else args[1]
        if _is_local(address):
            return
        self.refused += 1
        raise NetworkRefused(event)


def _is_local(address: object) -> bool:
    host = address[0] if isinstance(address, tuple) and address else address
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host == "" or host in _LOOPBACK:
        return True
    if not isinstance(address, tuple) and isinstance(host, str) and host.startswith(("/", "\0")):
        return True
    return isinstance(host, str) and host.startswith("127.") and host.replace(".", "").isdigit()


def scrub_environment(*, keep_proxies: bool = False) -> None:
    """Set every privacy switch of the libraries and drop variables that could undo them.

    With `keep_proxies` the person's own proxy stays: fetching a model may need it.
    """
    for name in list(os.environ):
        upper = name.upper()
        if upper in _REMOVED or upper.startswith(_REMOVED_PREFIXES) or (upper in _PROXIES and not keep_proxies):
            del os.environ[name]
    os.environ.update({name: value for name, value in _SET.items() if not (keep_proxies and name in _NO_PROXY)})


def keep_temporary_files_in(folder: Path) -> None:
    """The folders that Gradio and PyTorch make for themselves when they are imported lie in `folder`."""
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "gradio")
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inductor")


def yield_cores() -> None:
    """Let waiting threads of OpenMP sleep instead of spin; to be called before the library is imported.

    Two models share the processor: measured beside one, encoding took three times as long with spinning threads.
    """
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def forbid_core_dumps() -> None:
    """No core file, and no other process of this user may read this one's memory (Linux)."""
    try:
        import resource
    except ImportError:  # Windows has neither
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        pr_set_dumpable = 4  # linux/prctl.h
        ctypes.CDLL(None).prctl(pr_set_dumpable, 0, 0, 0, 0)


def limit_memory(limit_bytes: int) -> None:
    """No more than this much address space for this process, where the system knows such a limit; 0 for none."""
    if not limit_bytes or sys.platform != "linux":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
