"""What a box's programs see of the computer that they run on."""

from __future__ import annotations

from local.instances.environment import box_environment

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
