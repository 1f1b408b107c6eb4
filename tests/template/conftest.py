from typing import Any

import pytest
from template_reader import load_template


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    return load_template()


@pytest.fixture(scope="session")
def parameter_defaults(template: dict[str, Any]) -> dict[str, str]:
    """Of every parameter that has one, as CloudFormation sees them: texts."""
    parameters = template["Parameters"].items()
    return {name: str(it["Default"]) for name, it in parameters if "Default" in it}
