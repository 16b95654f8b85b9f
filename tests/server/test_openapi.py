"""Whatever follows the OpenAPI document is answered as the document says, and whatever breaks it is refused."""

from __future__ import annotations

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from server_helpers import new_service

from finback.server.app import create_app

PATHS = [
    "/chat/completions", "/completions", "/tasks/{task}", "/tokenize", "/detokenize", "/models", "/models/{name:path}", "/health", "/version", "/metrics",
    "/v1/messages", "/v1/messages/count_tokens", "/responses", "/responses/{name}",
]  # fmt: skip

schema = schemathesis.openapi.from_dict(create_app(new_service()).openapi()).include(path=PATHS)


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_server_keeps_to_its_document(case, tiny):
    if isinstance(case.body, dict):  # the schema cannot say which models there are, nor that tests must be short
        case.body["model"] = "tiny" if isinstance(case.body.get("model"), str) else case.body.get("model")
        for field in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
            if isinstance(case.body.get(field), int):
                case.body[field] = min(case.body[field], 4)
        if case.path in ("/chat/completions", "/responses"):
            case.body.setdefault("max_output_tokens" if case.path == "/responses" else "max_tokens", 4)
    # A document cannot say everything that a request must not be, so what it allows may be refused, but with a reason.
    case.call_and_validate(base_url=tiny.url, timeout=30, excluded_checks=[positive_data_acceptance])


def test_the_document_resolves(tiny):
    document = httpx.get(f"{tiny.url}/openapi.json").json()
    names = document["components"]["schemas"]
    refs = set()

    def walk(value):
        if isinstance(value, dict):
            refs.update({value["$ref"]} if isinstance(value.get("$ref"), str) else ())
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    walk(document)
    assert refs and {ref.removeprefix("#/components/schemas/") for ref in refs} <= set(names)
    assert "x-definitions" not in str(document)
