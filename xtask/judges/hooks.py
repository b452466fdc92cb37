"""What schemathesis is told beside openapi.yaml.

The spec is read by clients: where it is open on purpose, so that a client survives what the API
adds later, a judge would take every value for a good one. Here those places are closed.
"""

import schemathesis


@schemathesis.hook
def before_load_schema(context, schema):
    schemas = schema["components"]["schemas"]
    # Not blank: Laravel trims strings and takes empty ones for missing.
    said = {"type": "string", "pattern": r"\S", "minLength": 1}
    kinds = {"type": "string", "nullable": True, "enum": ["widget", "test", None]}
    # An empty list is PHP's empty object, and null is the same as nothing.
    variables = {
        "anyOf": [{"type": "object", "nullable": True}, {"type": "array", "maxItems": 0}]
    }
    # As in Laravel's `url:https`; which URLs that takes the spec does not say.
    hook = {"type": "string", "pattern": r"^https://[a-z]{1,20}\.example/[a-z]{0,20}$"}
    for name, fields in {
        "CreateConversationRequest": {"assistant_id": said, "type": kinds, "variables": variables},
        "SendMessageRequest": {"message": {**said, "maxLength": 2000}},
        "GenerateReplyRequest": {
            "customer_identifier": {**said, "maxLength": 255},
            "message": said,
            "variables": variables,
        },
        "EnableConversationEndedWebhookRequest": {"webhook_url": hook},
    }.items():
        if name in schemas:
            schemas[name]["properties"].update(
                {k: v for k, v in fields.items() if k in schemas[name]["properties"]}
            )
    for parameter in schema["paths"]["/user/conversations"]["get"].get("parameters", []):
        if parameter.get("name") == "type":
            parameter["schema"] = {
                "type": "string",
                # Laravel takes an empty one for missing.
                "enum": ["widget", "test", "whatsapp", "api", ""],
            }
