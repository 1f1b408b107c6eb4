"""What a box's programs see of the computer that they run on."""

from __future__ import annotations

from pathlib import Path

from local.instances.environment import box_environment, paths_named

HOST = {
    "AWS_ACCESS_KEY_ID": "secret",
    "AWS_PROFILE": "production",
    "AWS_CA_BUNDLE": "/etc/ca.pem",
    "PATH": "/home/me/bin",
    "HOME": "/home/me",
    "PYTHONPATH": "/home/me/lib",
    "PIP_INDEX_URL": "https://pypi.example/simple",
    "https_proxy": "http://proxy.example:3128",
    "NO_PROXY": "internal.example",
    "SSL_CERT_FILE": "/etc/ssl/ca.pem",
}


def test_nothing_of_the_hosts_aws_reaches_a_box() -> None:
    seen = box_environment(HOST, "http://127.0.0.1:4566", "http://127.0.0.1:999")

    assert {name: value for name, value in seen.items() if name.startswith("AWS_")} == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:999",
    }


def test_a_box_is_online_as_its_host_is_and_has_a_home_of_its_own() -> None:
    seen = box_environment(HOST, "http://127.0.0.1:4566", "http://127.0.0.1:999")

    assert seen["PIP_INDEX_URL"] == "https://pypi.example/simple"
    assert seen["https_proxy"] == "http://proxy.example:3128"
    assert seen["SSL_CERT_FILE"] == "/etc/ssl/ca.pem"
    assert seen["HOME"] == "/root"
    assert "PYTHONPATH" not in seen
    assert "/home/me" not in seen["PATH"]


def test_a_proxy_is_not_asked_for_this_computer() -> None:
    seen = box_environment(HOST, "http://127.0.0.1:4566", "http://127.0.0.1:999")

    assert seen["NO_PROXY"] == "internal.example,127.0.0.1,localhost"
    assert seen["no_proxy"] == "127.0.0.1,localhost"


def test_folders_that_pips_settings_name_are_seen_in_the_box(tmp_path: Path) -> None:
    wheels, certificate = tmp_path / "wheels", tmp_path / "ca/ca.pem"
    settings = tmp_path / "config/pip/pip.conf"
    for folder in (wheels, certificate.parent, settings.parent, tmp_path / "index"):
        folder.mkdir(parents=True)
    certificate.touch()
    settings.write_text(f"[global]\nextra-index-url = file://{tmp_path}/index file:///not/there\n")
    host = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PIP_FIND_LINKS": f"https://example.com/x {wheels}",
        "PIP_CERT": str(certificate),
    }

    assert paths_named(host) == {wheels, certificate.parent, tmp_path / "index"}
