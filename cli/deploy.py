"""The real SAM CLI, building and deploying the unmodified template.yaml of this repository."""

from __future__ import annotations

import os
import shlex
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.errors import CommandError
from cli.stack import Cloud

ROOT = Path(__file__).parents[1]
SAM = ROOT / ".tools" / "sam" / "bin" / "sam"
PROFILE = "local"
LAST_LINES = 25


@dataclass(frozen=True)
class Network:
    """Where instances are put; SAM wants ids."""

    vpc_id: str
    subnet_ids: tuple[str, ...]


def default_network(cloud: Cloud) -> Network:
    """The region's default VPC and its subnets. Raises CommandError when there is none."""
    ec2 = cloud.client("ec2")
    vpcs = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not vpcs:
        raise CommandError("This region has no default VPC: deploy with `sam deploy --guided`.")
    vpc_id = vpcs[0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["Subnets"]
    return Network(vpc_id, tuple(sorted(subnet["SubnetId"] for subnet in subnets)))


class Sam:
    """The SAM CLI with its output kept in `folder`, one log per step."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            **environment,
            "SAM_CLI_TELEMETRY": "0",
        }
        folder.mkdir(parents=True, exist_ok=True)
        if not SAM.exists():
            raise CommandError(f"The SAM CLI is not at {SAM}: run `make setup` first.")

    @property
    def built(self) -> Path:
        """Where `build` puts what it makes."""
        return self._folder / "sam"

    def build(self) -> Step:
        """`sam build`, into a folder of its own."""
        return self._start("build", ["build", "--build-dir", str(self.built)])

    def deploy(self, stack_name: str, network: Network, overrides: Mapping[str, str]) -> Step:
        """`sam deploy` of what was built: the profile's parameters, then `overrides` over them."""
        parameters = {
            **profile_parameters(ROOT / "samconfig.toml", PROFILE),
            "VpcId": network.vpc_id,
            "SubnetIds": ",".join(network.subnet_ids),
            **overrides,
        }
        return self._start(
            "deploy",
            [
                "deploy",
                *("--config-file", str(ROOT / "samconfig.toml"), "--config-env", PROFILE),
                *("--template-file", str(self.built / "template.yaml")),
                *("--stack-name", stack_name),
                "--parameter-overrides",
                *(f"{name}={shlex.quote(value)}" for name, value in parameters.items()),
            ],
        )

    def _start(self, step: str, arguments: list[str]) -> Step:
        log = self._folder / f"sam-{step}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(SAM), *arguments],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return Step(step, shown(arguments), process, log)


class Step:
    """A running SAM command. Leaving the `with` block ends it if it still runs."""

    def __init__(
        self, name: str, command: str, process: subprocess.Popen[bytes], log: Path
    ) -> None:
        self.name = name
        self.command = command
        self._process = process
        self._log = log

    def __enter__(self) -> Step:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()

    def done(self) -> bool:
        """Whether it ended well; raises CommandError with the end of its output if it did not."""
        code = self._process.poll()
        if code is None:
            return False
        if code != 0:
            lines = self._log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
            raise CommandError(
                f"`sam {self.name}` ended with {code}. The whole of its output is in {self._log}.",
                details="\n".join(lines),
            )
        return True


def shown(arguments: Sequence[str]) -> str:
    """The command as a person in the repository's folder would type it."""
    return shlex.join(["sam", *(argument.replace(f"{ROOT}/", "") for argument in arguments)])


def profile_parameters(samconfig: Path, profile: str) -> dict[str, str]:
    """The parameters which a profile of samconfig.toml gives to `sam deploy`.

    They are read here because --parameter-overrides on the command line replaces all of them.
    """
    deploy = tomllib.loads(samconfig.read_text("utf-8"))[profile]["deploy"]["parameters"]
    pairs = deploy.get("parameter_overrides", [])
    if isinstance(pairs, str):
        raise CommandError(f"{samconfig}: parameter_overrides of {profile!r} must be a list.")
    split = (pair.partition("=") for pair in pairs)
    return {name: "".join(shlex.split(value)) for name, _, value in split}
