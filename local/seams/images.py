"""Machine images that AWS publishes, and the public parameters which name the newest of them."""

from __future__ import annotations

from typing import Any

from local.context import CloudContext

AMAZON_LINUX = "137112412989"
DEEP_LEARNING = "898082745236"
# Parameter, image id, image name, architecture, owner. The ids stand in for AWS's, which change.
IMAGES = (
    (
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
        "ami-0c2023a1b2c3d4e5f",
        "al2023-ami-2023.6.20241010.0-kernel-6.1-x86_64",
        "x86_64",
        AMAZON_LINUX,
    ),
    (
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
        "ami-0c2023a1b2c3d4e60",
        "al2023-ami-2023.6.20241010.0-kernel-6.1-arm64",
        "arm64",
        AMAZON_LINUX,
    ),
    (
        "/aws/service/deeplearning/ami/x86_64/"
        "base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id",
        "ami-0d1ea2023a1b2c3d4",
        "Deep Learning Base OSS Nvidia Driver GPU AMI (Amazon Linux 2023)",
        "x86_64",
        DEEP_LEARNING,
    ),
    (
        "/aws/service/deeplearning/ami/x86_64/"
        "base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id",
        "ami-0d1ea2204a1b2c3d4",
        "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04)",
        "x86_64",
        DEEP_LEARNING,
    ),
    (
        "/aws/service/deeplearning/ami/x86_64/"
        "oss-nvidia-driver-gpu-pytorch-2.7-ubuntu-22.04/latest/ami-id",
        "ami-0d1ea2704a1b2c3d4",
        "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.7 (Ubuntu 22.04)",
        "x86_64",
        DEEP_LEARNING,
    ),
)


def install(_context: CloudContext) -> None:
    """Publish what stock lacks: it has one public image parameter for Amazon Linux 2023."""
    from ministack.services import ec2, ssm

    stock = ec2._stub_image_view
    architectures = {image_id: architecture for _, image_id, _, architecture, _ in IMAGES}

    def stub_image_view(image_id: str, *details: Any) -> dict[str, Any]:
        view: dict[str, Any] = stock(image_id, *details)
        return {**view, "Architecture": architectures.get(image_id, "x86_64")}

    ec2._stub_image_view = stub_image_view
    known = {stub[0] for stub in ec2._STUB_AMIS}
    for parameter, image_id, name, _, owner in IMAGES:
        ssm._PUBLIC_AMI_PARAMETERS[parameter] = image_id
        if image_id not in known:
            ec2._STUB_AMIS.append((image_id, name, name, "", "/dev/xvda", owner, "amazon"))


def exists(image_id: str) -> bool:
    """Whether DescribeImages would find `image_id` in the calling account and Region."""
    from ministack.services import ec2

    return image_id in ec2._images or any(stub[0] == image_id for stub in ec2._STUB_AMIS)
