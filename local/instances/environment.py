"""The environment of a box's programs: that of EC2, plus what this computer needs to be online."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PIP_CACHE = "/var/cache/pip"
# pip's own settings, proxies and certificates: without them a box could not install anything here.
_OF_THIS_COMPUTER = re.compile(
    r"PIP_\w+|(https?|ftp|all|no)_proxy|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE", re.I
)
_PATH = re.compile(r"(?:^|[\s=]|file://)(/[^\s'\"]+)", re.MULTILINE)


def online(host: Mapping[str, str]) -> dict[str, str]:
    """What of the host's environment a box inherits: nothing of AWS, for one."""
    inherited = {name: value for name, value in host.items() if _OF_THIS_COMPUTER.fullmatch(name)}
    if any(name.lower().endswith("s_proxy") or name.lower() == "http_proxy" for name in inherited):
        for name in ("no_proxy", "NO_PROXY"):
            inherited[name] = ",".join(
                filter(None, [inherited.get(name), "127.0.0.1", "localhost"])
            )
    return inherited


def box_environment(
    host: Mapping[str, str], endpoint: str, metadata_endpoint: str
) -> dict[str, str]:
    """What user data, services and commands see.

    The two redirections are the SDKs' own variables and not set on EC2; they are all by which a
    program can tell that it is here.
    """
    return {
        **online(host),
        "PATH": SYSTEM_PATH,
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PIP_CACHE_DIR": PIP_CACHE,
        "PIP_ROOT_USER_ACTION": "ignore",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata_endpoint,
    }


def pip_cache(host: Mapping[str, str]) -> Path:
    """The host user's pip cache, shared by every box so that a second setup is quick."""
    if "PIP_CACHE_DIR" in host:
        return Path(host["PIP_CACHE_DIR"])
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "cache", "dir"],
        capture_output=True,
        text=True,
        env=dict(host),
    )
    answer = asked.stdout.strip()
    return Path(answer) if asked.returncode == 0 and answer else Path.home() / ".cache/pip"


def pip_settings(host: Mapping[str, str]) -> Path | None:
    """The host user's pip.conf, if any; the machine's own is in /etc, which boxes see anyway."""
    config = Path(host.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    places = (config / "pip/pip.conf", Path.home() / ".pip/pip.conf")
    return next((place for place in places if place.is_file()), None)


def paths_named(host: Mapping[str, str]) -> set[Path]:
    """Folders of this computer that pip's settings and the certificates' variables point to."""
    settings = pip_settings(host)
    text = "\n".join([*online(host).values(), settings.read_text() if settings else ""])
    named = (Path(found) for found in _PATH.findall(text))
    return {path if path.is_dir() else path.parent for path in named if path.exists()}
