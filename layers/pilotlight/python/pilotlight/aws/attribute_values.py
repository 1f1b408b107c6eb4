"""DynamoDB's typed values. boto3's own serializer refuses float, which is what a time is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


def typed(value: str | int | float | list[Any] | dict[str, Any]) -> "AttributeValueTypeDef":
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, list):
        return {"L": [typed(member) for member in value]}
    if isinstance(value, dict):
        return {"M": {name: typed(member) for name, member in value.items()}}
    return {"N": repr(value)}


def plain(value: "AttributeValueTypeDef") -> Any:
    """The way back; of the types that the jobs table holds. Raises KeyError for any other."""
    if "S" in value:
        return value["S"]
    if "N" in value:
        number = value["N"]
        return int(number) if number.lstrip("-").isdigit() else float(number)
    if "L" in value:
        return [plain(member) for member in value["L"]]
    return {name: plain(member) for name, member in value["M"].items()}
