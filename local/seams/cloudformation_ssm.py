"""AWS::SSM::Document for CloudFormation; stock ministack 1.5.33 calls it an unrecognised type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.services.ssm_document_store import DocumentStore

Properties = Mapping[str, Any]
Provisioned = tuple[str, dict[str, Any]]


def provision_documents(documents: DocumentStore) -> None:
    """Let stacks make documents, and put stack tags on them."""
    from ministack.services.cloudformation import provisioners

    resource = DocumentResource(documents)
    provisioners._RESOURCE_HANDLERS["AWS::SSM::Document"] = {
        "create": resource.create,
        "update": resource.update,
        "update_with_logical_id": True,
        "delete": resource.delete,
    }
    provisioners._STACK_TAG_PROPERTY["AWS::SSM::Document"] = ("Tags", "list")


class DocumentResource:
    """Ref is the document's name. UpdateMethod is Replace unless it says NewVersion."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
        from ministack.services.cloudformation import provisioners

        name = properties.get("Name") or provisioners._physical_name(
            stack_name, logical_id, max_len=128
        )
        taken = ("VersionName", "TargetType", "DocumentType", "Tags")
        request = {key: properties[key] for key in taken if properties.get(key)}
        self._documents.create({"Name": name} | request | _content(properties))
        return name, {}

    def update(
        self, name: str, old: Properties, new: Properties, stack_name: str, logical_id: str
    ) -> Provisioned:
        is_renamed = old.get("Name") != new.get("Name")
        if not is_renamed and _content(old) == _content(new):
            return name, {}
        if not is_renamed and new.get("UpdateMethod") == "NewVersion":
            return self._add_version(name, new)
        if not is_renamed and new.get("Name"):
            raise ValueError(
                "CloudFormation cannot update a stack when a custom-named resource requires "
                f"replacing. Rename {name} and update the stack again."
            )
        return self._replace(name, old, new, stack_name, logical_id)

    def delete(self, name: str, properties: Properties) -> None:  # noqa: ARG002 - their signature
        self._documents.delete({"Name": name})

    def _add_version(self, name: str, properties: Properties) -> Provisioned:
        updated = self._documents.update({"Name": name} | _content(properties))
        version = updated["DocumentDescription"]["DocumentVersion"]
        self._documents.update_default_version({"Name": name, "DocumentVersion": version})
        return name, {}

    def _replace(
        self, name: str, old: Properties, new: Properties, stack_name: str, logical_id: str
    ) -> Provisioned:
        from ministack.services.cloudformation import provisioners

        created: Provisioned = provisioners._seeded_create(self.create, logical_id, new, stack_name)
        provisioners._delete_predecessor(self.delete, name, old)
        return created


def _content(properties: Properties) -> dict[str, str]:
    content = properties["Content"]
    text = content if isinstance(content, str) else json.dumps(content)
    return {"Content": text, "DocumentFormat": properties.get("DocumentFormat") or "JSON"}
