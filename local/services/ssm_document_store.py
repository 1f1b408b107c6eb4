"""The Command documents of one account and region, with their versions, and the API on them."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.services.pages import page
from local.services.ssm_documents import Document, parse_document
from local.services.ssm_errors import SsmError

_NAME = re.compile(r"[a-zA-Z0-9_\-.]{3,128}")
_RESERVED_PREFIXES = ("aws-", "amazon", "amzn")
_MAX_VERSIONS = 1000

RUN_SHELL_SCRIPT = """{
  "schemaVersion": "2.2",
  "description": "Run a shell script or specify the commands to run.",
  "parameters": {
    "commands": {"type": "StringList", "description": "(Required) Commands to run.", "minChars": 1},
    "workingDirectory": {"type": "String", "default": "", "maxChars": 4096},
    "executionTimeout": {"type": "String", "default": "3600", "allowedPattern": "^[1-9][0-9]{0,5}$"}
  },
  "mainSteps": [{
    "action": "aws:runShellScript",
    "name": "aws:runShellScript",
    "inputs": {
      "runCommand": "{{ commands }}",
      "workingDirectory": "{{ workingDirectory }}",
      "timeoutSeconds": "{{ executionTimeout }}"
    }
  }]
}"""


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    number: int
    content: str
    document_format: str
    version_name: str | None
    document: Document
    created_at: float


@dataclass(slots=True)
class StoredDocument:
    """A document name with its versions; `default` is the number of the version that runs."""

    name: str
    owner: str
    target_type: str | None
    tags: list[dict[str, str]]
    versions: dict[int, DocumentVersion] = field(default_factory=dict)
    default: int = 1

    @property
    def latest(self) -> int:
        return max(self.versions)


class DocumentStore:
    """CreateDocument, UpdateDocument, UpdateDocumentDefaultVersion, DescribeDocument, GetDocument,
    ListDocuments, ListDocumentVersions, DeleteDocument.

    `now` gives epoch seconds. Every method takes the request and returns the response of the SSM
    model, and raises SsmError as that model names its errors.
    """

    def __init__(self, account_id: str, now: Callable[[], float]) -> None:
        self._account_id = account_id
        self._now = now
        self._documents: dict[str, StoredDocument] = {}
        self._lock = threading.RLock()
        shell = StoredDocument("AWS-RunShellScript", "Amazon", None, [])
        shell.versions[1] = self._version(1, RUN_SHELL_SCRIPT, "JSON", None)
        self._documents[shell.name] = shell

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["Name"]
        if not _NAME.fullmatch(name) or name.lower().startswith(_RESERVED_PREFIXES):
            raise SsmError(
                "ValidationException",
                f"Document name {name!r} must be 3 to 128 of a-z A-Z 0-9 _ - . and must not start "
                f"with {', '.join(_RESERVED_PREFIXES)}.",
            )
        _check_type(request.get("DocumentType", "Command"))
        with self._lock:
            if name in self._documents:
                raise SsmError(
                    "DocumentAlreadyExists", f"Document with same name {name} already exists"
                )
            stored = StoredDocument(
                name, self._account_id, request.get("TargetType"), list(request.get("Tags") or [])
            )
            stored.versions[1] = self._version(1, *_content(request))
            self._documents[name] = stored
            return {"DocumentDescription": _description(stored, stored.versions[1], "Creating")}

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            stored = self._own(request["Name"])
            if request.get("DocumentVersion"):
                self._pick(stored, request["DocumentVersion"])
            content, document_format, version_name = _content(request)
            _check_new_version(stored, content, version_name)
            number = stored.latest + 1
            stored.versions[number] = self._version(number, content, document_format, version_name)
            return {
                "DocumentDescription": _description(stored, stored.versions[number], "Updating")
            }

    def update_default_version(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            stored = self._own(request["Name"])
            stored.default = self._pick(stored, request["DocumentVersion"]).number
            return {"Description": {"Name": stored.name, "DefaultVersion": str(stored.default)}}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        stored, version = self.resolve(
            request["Name"], request.get("DocumentVersion"), request.get("VersionName")
        )
        return {"Document": _description(stored, version, "Active")}

    def get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        stored, version = self.resolve(
            request["Name"], request.get("DocumentVersion"), request.get("VersionName")
        )
        return _present(
            Name=stored.name,
            CreatedDate=version.created_at,
            VersionName=version.version_name,
            DocumentVersion=str(version.number),
            Status="Active",
            Content=version.content,
            DocumentType="Command",
            DocumentFormat=version.document_format,
        )

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        filters = {f["Key"]: f["Values"] for f in request.get("Filters") or []}
        filters |= {f["key"]: [f["value"]] for f in request.get("DocumentFilterList") or []}
        with self._lock:
            found = [d for d in self._documents.values() if _matches(d, filters)]
        items, token = page(sorted(found, key=lambda d: d.name), request, default_size=10)
        return _present(DocumentIdentifiers=[_identifier(d) for d in items], NextToken=token)

    def list_versions(self, request: Mapping[str, Any]) -> dict[str, Any]:
        stored = self._find(request["Name"])
        newest_first = sorted(stored.versions.values(), key=lambda v: -v.number)
        items, token = page(newest_first, request, default_size=10)
        versions = [
            _present(
                Name=stored.name,
                DocumentVersion=str(v.number),
                VersionName=v.version_name,
                CreatedDate=v.created_at,
                IsDefaultVersion=v.number == stored.default,
                DocumentFormat=v.document_format,
                Status="Active",
            )
            for v in items
        ]
        return _present(DocumentVersions=versions, NextToken=token)

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            stored = self._own(request["Name"])
            if request.get("DocumentVersion"):
                number = self._pick(stored, request["DocumentVersion"]).number
                if number == stored.default:
                    raise SsmError(
                        "InvalidDocumentOperation", "The default version cannot be deleted."
                    )
                del stored.versions[number]
            else:
                del self._documents[stored.name]
            return {}

    def resolve(
        self, name: str, version: str | None = None, version_name: str | None = None
    ) -> tuple[StoredDocument, DocumentVersion]:
        """The document of a name or ARN; `version` is a number, $DEFAULT (also None) or $LATEST."""
        with self._lock:
            stored = self._find(name)
            if version_name:
                for candidate in stored.versions.values():
                    if candidate.version_name == version_name:
                        return stored, candidate
                raise SsmError("InvalidDocumentVersion", f"No version is named {version_name}.")
            return stored, self._pick(stored, version or "$DEFAULT")

    def _find(self, name: str) -> StoredDocument:
        stored = self._documents.get(name.rpartition("document/")[2])
        if stored is None:
            raise SsmError("InvalidDocument", f"Document with name {name} does not exist.")
        return stored

    def _own(self, name: str) -> StoredDocument:
        stored = self._find(name)
        if stored.owner != self._account_id:
            raise SsmError("InvalidDocumentOperation", f"{stored.name} belongs to {stored.owner}.")
        return stored

    def _pick(self, stored: StoredDocument, version: str) -> DocumentVersion:
        number = {"$DEFAULT": stored.default, "$LATEST": stored.latest}.get(version)
        if number is None and version.isdecimal():
            number = int(version)
        if number not in stored.versions:
            raise SsmError(
                "InvalidDocumentVersion", f"Document {stored.name} has no version {version}."
            )
        return stored.versions[number]

    def _version(
        self, number: int, content: str, document_format: str, version_name: str | None
    ) -> DocumentVersion:
        document = parse_document(content, document_format)
        return DocumentVersion(
            number, content, document_format, version_name, document, self._now()
        )


def _check_type(document_type: str) -> None:
    if document_type != "Command":
        raise SsmError(
            "ValidationException",
            f"DocumentType {document_type} is not served here; only Command is.",
        )


def _content(request: Mapping[str, Any]) -> tuple[str, str, str | None]:
    return request["Content"], request.get("DocumentFormat") or "JSON", request.get("VersionName")


def _check_new_version(stored: StoredDocument, content: str, version_name: str | None) -> None:
    if stored.versions[stored.latest].content == content:
        raise SsmError(
            "DuplicateDocumentContent",
            "The content of the association document matches another document. Change the content "
            "of the document and try again.",
        )
    if version_name and any(v.version_name == version_name for v in stored.versions.values()):
        raise SsmError("DuplicateDocumentVersionName", f"Version name {version_name} is taken.")
    if len(stored.versions) >= _MAX_VERSIONS:
        raise SsmError("DocumentVersionLimitExceeded", f"{_MAX_VERSIONS} versions is the limit.")


def _description(stored: StoredDocument, version: DocumentVersion, status: str) -> dict[str, Any]:
    return _identifier(stored, version) | _present(
        Hash=hashlib.sha256(version.content.encode()).hexdigest(),
        HashType="Sha256",
        Status=status,
        Description=version.document.description,
        Parameters=_parameters(version.document),
        LatestVersion=str(stored.latest),
        DefaultVersion=str(stored.default),
    )


def _parameters(document: Document) -> list[dict[str, Any]]:
    return [
        _present(
            Name=spec.name,
            Type=spec.type,
            Description=spec.description,
            DefaultValue=spec.default
            if isinstance(spec.default, str | None)
            else str(spec.default),
        )
        for spec in document.parameters.values()
    ]


def _identifier(stored: StoredDocument, version: DocumentVersion | None = None) -> dict[str, Any]:
    version = version or stored.versions[stored.default]
    return _present(
        Name=stored.name,
        CreatedDate=version.created_at,
        Owner=stored.owner,
        VersionName=version.version_name,
        PlatformTypes=version.document.platform_types,
        DocumentVersion=str(version.number),
        DocumentType="Command",
        SchemaVersion=version.document.schema_version,
        DocumentFormat=version.document_format,
        TargetType=stored.target_type,
        Tags=stored.tags,
    )


def _matches(stored: StoredDocument, filters: Mapping[str, Sequence[str]]) -> bool:
    return all(_matches_one(stored, key, values) for key, values in filters.items())


def _matches_one(stored: StoredDocument, key: str, values: Sequence[str]) -> bool:
    if key == "Name":
        return any(stored.name.startswith(value) for value in values)
    if key == "Owner":
        return any(_is_owned_by(stored, value) for value in values)
    if key == "DocumentType":
        return "Command" in values
    if key == "PlatformTypes":
        platforms = stored.versions[stored.default].document.platform_types
        return any(value in platforms for value in values)
    if key.startswith("tag:"):
        return any(t["Key"] == key[4:] and t["Value"] in values for t in stored.tags)
    raise SsmError("InvalidFilterKey", f"The filter key {key} is not valid.")


def _is_owned_by(stored: StoredDocument, owner: str) -> bool:
    from_amazon = stored.owner == "Amazon"
    return {"Amazon": from_amazon, "Self": not from_amazon, "Private": not from_amazon}.get(
        owner, owner == "All"
    )


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
