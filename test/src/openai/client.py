"""Uses the API with OpenAI's Python client as anybody would, and prints what came of it as JSON.

Given as arguments: the base URL, a key that may submit, the name of the guard.
"""

import json
import sys
import time

import openai
from openai import OpenAI

base_url, key, guard = sys.argv[1:]
client = OpenAI(base_url=base_url, api_key=key, max_retries=0)


def refusal(ask):
    try:
        ask()
    except openai.APIStatusError as error:
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "param": error.param,
            "request": error.request_id is not None,
        }
    return None


def moderations():
    answers = {
        "string": client.moderations.create(input="tea", model="omni-moderation-latest"),
        "strings": client.moderations.create(input=["tea", "bread"]),
        "parts": client.moderations.create(input=[{"type": "text", "text": "tea"}], model="strict"),
    }
    first = answers["string"].results[0]
    return {
        "answers": {name: answer.model_dump() for name, answer in answers.items()},
        # What a guard says, by the client's own attributes.
        "harmful": first.category_scores.harmful,
        # A category that the guard does not have.
        "absent": [
            first.categories.harassment,
            first.category_scores.violence,
            first.category_applied_input_types.violence,
        ],
        "flagged": first.flagged,
        "score": first.score,
    }


def models():
    listed = [model.id for model in client.models.list()]
    return {"listed": listed, "found": [client.models.retrieve(name).id for name in [*listed, guard + ":strict"]]}


def batch():
    requests = [
        {"custom_id": f"request-{i}", "method": "POST", "url": "/v1/moderations", "body": {"input": text}}
        for i, text in enumerate(["tea", ["tea", "bread"], 7])
    ]
    content = "".join(json.dumps(request) + "\n" for request in requests).encode()
    expires = {"anchor": "created_at", "seconds": 3600}
    uploaded = client.files.create(file=("requests.jsonl", content), purpose="batch", expires_after=expires)
    made = client.batches.create(
        input_file_id=uploaded.id,
        endpoint="/v1/moderations",
        completion_window="24h",
        metadata={"by": "python"},
    )
    over = made
    while over.status not in ("completed", "failed", "expired", "cancelled"):
        time.sleep(0.1)
        over = client.batches.retrieve(made.id)
    lines = [
        json.loads(line)
        for file in (over.output_file_id, over.error_file_id)
        for line in client.files.content(file).text.splitlines()
    ]
    # Three pages, that the client asks for by itself.
    files = [found.purpose for found in client.files.list(limit=1, order="asc")]
    later = client.batches.create(
        input_file_id=uploaded.id, endpoint="/v1/moderations", completion_window="24h"
    )
    return {
        "uploaded": uploaded.model_dump(),
        "same": client.files.content(uploaded.id).read() == content,
        "status": over.status,
        "counts": over.request_counts.model_dump(),
        "metadata": over.metadata,
        "lines": [[line["custom_id"], line["response"]["status_code"]] for line in lines],
        "batches": [found.id for found in client.batches.list(limit=1)] == [later.id, made.id],
        "files": files,
        "deleted": client.files.delete(over.output_file_id).deleted,
    }


def refusals():
    wrong = OpenAI(base_url=base_url, api_key="sk-wrong", max_retries=0)
    return {
        "image": refusal(
            lambda: client.moderations.create(
                input=[{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
            )
        ),
        "model": refusal(lambda: client.moderations.create(input="tea", model="gpt-5")),
        "file": refusal(lambda: client.files.content("file-nothing")),
        "batch": refusal(lambda: client.batches.cancel("batch_nothing")),
        "key": refusal(lambda: wrong.models.list()),
    }


print(json.dumps({"moderations": moderations(), "models": models(), "batch": batch(), "refusals": refusals()}))
