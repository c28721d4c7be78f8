"""Makes rendering.json: trajectories, and the text that the reference runtime (llm-siren 0.2.0) makes of each.

    python make_rendering.py > rendering.json             the committed cases (then: npx biome format --write)
    python make_rendering.py --random N SEED DIR...       N random ones; DIR has more templates (*.jinja)

Needs llm-siren. Messages and tools are JSON *texts*: what is tested is also how numbers and keys are spelled.
"""

import json
import random
import sys
from pathlib import Path

from siren_guard._render import render
from siren_guard._trajectory import from_openai
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent


def tokenizers(folders):
    made = {}
    for folder in folders:
        for file in sorted(Path(folder).glob("*.jinja")):
            tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0}, unk_token="a")))
            tokenizer.bos_token, tokenizer.eos_token = "<|begin|>", "<|end_of_turn|>"
            # A date in the text would make a case of its own for every day.
            template = file.read_text(encoding="utf-8").replace("strftime_now is defined", "false")
            tokenizer.chat_template = template
            made[file.stem] = tokenizer
    return made


def case(tokenizer, name, messages, tools):
    made = {"template": name, "messages": messages, "tools": tools}
    try:
        trajectory = from_openai(json.loads(messages), None if tools is None else json.loads(tools))
        rendered = render(tokenizer, trajectory, rich_tools=True)
        rendered.encode("utf-8")
        return {**made, "rendered": rendered}
    except Exception as error:
        return {**made, "fails": type(error).__name__}


USER = '{"role": "user", "content": "Find the recipe."}'
DONE = '{"role": "assistant", "content": "Done."}'


def tool(spec):
    return '[{"type": "function", "function": {"name": "bake", "description": " Bakes. ", "parameters": ' + spec + "}}]"


def default(value):
    return tool('{"type": "object", "properties": {"x": {"type": "any", "default": ' + value + ', "description": "d"}}}')


def calls(arguments):
    return (
        "[" + USER + ', {"role": "assistant", "content": "Look. ", "tool_calls": [{"function": {"name": "bake", "arguments": '
        + arguments + "}}]}]"
    )


DEFAULTS = [
    "true", "false", "null", "3", "-0", "0.0", "-0.0", "1.0", "1e5", "1e16", "1e-5", "0.0001", "123456789012345678",
    "12345678901234567890123", "1234567890123456.0", "12345678901234567.0", "1e400", "-1e400", "5e-324", "2.50",
    '"it\'s"', '"say \\"hi\\""', '"both \' and \\""', '"tab\\tline\\n\\u0000\\u007f\\u0085\\u00a0\\u00ad\\u200b\\u2028\\ufeff\\ue000"',
    '"\\ud83d\\ude42 caf\\u00e9 \\ud800 \\\\"', '"\\ud835\\udfff\\udb40\\udc01"', "[]", "{}", '[1, [true, null], "a"]',
    '{"b": 1, "2": {"a": [0.5]}, "1": "x", "b": 2}', "NaN", "[Infinity, -Infinity]",
]
ARGUMENTS = [
    '"{\\"path\\": \\"a.txt\\", \\"2\\": 1.0, \\"1\\": 1e5}"', '"not json"', '"{\\"a\\": 1"', '"[1, 2"', '"NaN"',
    '"  {\\"a\\":\\n[ ]}  "', '"\\ufeff{}"', '"\\u00a0{}"', '""', '"7"', '"\\"text\\""', '"01"', '"1."', '"-Infinity"',
    '"{\\"a\\": \\"\\\\u00e9\\\\n\\\\/\\"}"', '"{\\"a\\": \\"raw\\ttab\\"}"', '"{\'a\': 1}"', '"[1,]"', "null", "7", "[]",
    '{"b": true, "10": null, "9": -0, "b": 3.10}', '{"s": "\\u0001\\u001f\\u007f\\u2028\\ud83d\\ude42"}', '{"n": 123456789012345678901234}',
    '{"n": [1e22, 1e-7, 0.1, 100000.0, 1e15, 123456.789e3]}',
]
CONVERSATIONS = [
    ("[" + USER + "," + DONE + "]", None),
    ('[{"role": "system", "content": "  Be brief.\\n"}, {"role": "developer", "content": "\\u3000"}, {"role": "system", "content": "Be kind."},' + USER + "]", "[]"),
    ('[{"role": "user", "content": [{"type": "text", "text": "one"}, "two", {"type": "image"}, {"type": "text"}, {"type": "text", "text": "three"}]}]', "null"),
    ("[" + USER + "," + USER + ', {"role": "tool", "content": "14 g"}, {"role": "function", "content": {"g": 14.0}}, {"role": "environment", "content": true}, ' + DONE + "," + DONE + "]", None),
    ("[" + USER + ', {"role": "assistant", "content": "<think>\\n\\nFlour first.\\n</think>\\n\\n  Mix."}, {"role": "tool", "content": null}, {"role": "assistant", "content": "\\n \\tBake."}]', None),
    ("[" + USER + ', {"role": "assistant", "tool_calls": [{"name": "bake", "arguments": {}}, {"function": {"arguments": "{}"}}], "content": ["", {"type": "text", "text": " hm "}]}]', None),
    ('[{"role": "user", "content": "\\ufeff\\u0085 ends \\u001c\\ufeff"}, {"role": "assistant", "content": "\\u0085"}]', None),
    ('[{"role": "assistant", "content": "I begin."}, ' + USER + "]", default("1")),
    ("[]", default("1")), ("[]", None), ("[]", "[]"),
    ("[" + USER + "]", '[{"name": "a", "parameters": {"x": {"type": "string"}, "required": ["x"], "y": {}, "z": {"description": " why "}}, "prototype": "a(x)"}, {}, {"name": null, "description": null}, {"name": 1.50, "parameters": []}, {"function": "f", "name": "g", "prototype": [1]}]'),
    ("[" + USER + ', {"role": "assistant", "content": "", "tool_calls": []}, {"role": "assistant", "tool_calls": null}, {"role": "assistant", "content": 0, "tool_calls": 0}]', "false"),
]
FAILURES = [
    ('[{"role": "human", "content": "hi"}]', None), ('[{"content": "hi"}]', None), ('["hi"]', None), ("[null]", None),
    ('[{"role": "user", "content": [{"type": "text", "text": null}]}]', None),
    ('[{"role": "system", "content": {"a": 1}}]', None), ('[{"role": "assistant", "tool_calls": 5}]', None),
    ('[{"role": "assistant", "tool_calls": [{"function": null}]}]', None),
    ('[{"role": "assistant", "content": {"a": 1}, "tool_calls": [{"name": "x"}]}]', None),
    ("[" + USER + "]", '["bake"]'), ("[" + USER + "]", "[null]"), ("[" + USER + "]", "7"),
    ("[" + USER + "]", '[{"name": "x", "description": 5}]'), ("[" + USER + "]", tool('{"x": {"type": ["string", "null"]}}')),
    ("[" + USER + "]", tool('{"x": {"description": ["why"]}}')), ('[{"role": "user", "content": "half \\ud83d"}]', None),
    (calls('{"half": "\\ud83d"}'), None),
]


def committed():
    made = tokenizers([HERE / "templates"])
    everywhere = CONVERSATIONS + FAILURES
    cases = [case(made["plain"], "plain", "[" + USER + "]", default(value)) for value in DEFAULTS]
    cases += [case(made["plain"], "plain", calls(value), None) for value in ARGUMENTS]
    cases += [case(made[name], name, *each) for each in CONVERSATIONS for name in made]
    cases += [case(made["plain"], "plain", *each) for each in FAILURES]
    return cases


# --- random cases ---

WORDS = ["a", " ", "  ", "\n", "\n\n", "\t", "'", '"', "\\", "é", "\u0085", "\ufeff", "\u200b", "🙂", "\u2028", "</think>",
         "<think>", "the", "oven", "[Observation]", "?", "{", "\u0000", "\u001c", "1.0", "NaN", "\ud800"]


def text(r):
    return "".join(r.choice(WORDS[:-1]) for _ in range(r.choice([0, 1, 1, 2, 3, 6])))


def number(r):
    kinds = [
        lambda: str(r.randint(-5, 5)), lambda: str(r.randint(-10**25, 10**25)),
        lambda: repr(r.uniform(-1, 1) * 10.0 ** r.randint(-30, 30)), lambda: f"{r.randint(0, 99)}.{r.randint(0, 99)}",
        lambda: f"{r.randint(1, 9)}e{r.randint(-330, 320)}", lambda: f"-{r.randint(0, 9)}.50E+{r.randint(0, 20)}",
        lambda: r.choice(["0", "-0", "0.0", "-0.0", "NaN", "Infinity", "1e16", "1e-4", "9007199254740993"]),
    ]
    return r.choice(kinds)()


def value(r, depth=0):
    """A JSON text."""
    kind = r.randint(0, 8 if depth < 3 else 5)
    if kind <= 2:
        return string(r, text(r) + (r.choice(["", "", "", "\ud800"]) if r.random() < 0.1 else ""))
    if kind == 3:
        return number(r)
    if kind <= 5:
        return r.choice(["null", "true", "false", '""'])
    if kind == 6:
        return "[" + ", ".join(value(r, depth + 1) for _ in range(r.randint(0, 3))) + "]"
    return obj(r, [(r.choice(["a", "b", "10", "2", "name", "type", text(r)]), value(r, depth + 1)) for _ in range(r.randint(0, 4))])


def string(r, s):
    return json.dumps(s, ensure_ascii=r.random() < 0.5 or any("\ud800" <= c <= "\udfff" for c in s))


def obj(r, pairs):
    return "{" + ",".join(f"{string(r, k)}: {v}" for k, v in pairs) + "}"


def sometimes(r, p, *pairs):
    return [pair for pair in pairs if r.random() < p]


def content(r):
    if r.random() < 0.15:
        parts = [obj(r, [("type", '"text"'), ("text", string(r, text(r)))]) if r.random() < 0.8 else value(r) for _ in range(r.randint(0, 3))]
        return "[" + ", ".join(parts) + "]"
    return r.choice(["null", value(r)]) if r.random() < 0.05 else string(r, text(r))


def arguments(r):
    if r.random() < 0.5:
        inner = value(r) if r.random() < 0.85 else value(r)[:-1]
        return string(r, inner)
    return value(r)


def message(r):
    role = r.choice(["system", "developer", "user", "user", "assistant", "assistant", "assistant", "tool", "function", "environment"])
    if r.random() < 0.01:
        role = "other"
    pairs = [("role", string(r, role))] + sometimes(r, 0.95, ("content", content(r)))
    if role == "assistant" and r.random() < 0.5:
        made = []
        for _ in range(r.randint(0, 3)):
            fn = obj(r, sometimes(r, 0.95, ("name", string(r, text(r)) if r.random() < 0.9 else value(r)), ("arguments", arguments(r))))
            made.append(obj(r, [("id", '"1"'), ("function", fn)]) if r.random() < 0.8 else fn)
        pairs.append(("tool_calls", "[" + ", ".join(made) + "]"))
    r.shuffle(pairs)
    return obj(r, pairs)


def parameter(r):
    return obj(r, sometimes(r, 0.7, ("type", string(r, r.choice(["string", "integer", ""]))), ("default", value(r)), ("description", string(r, text(r)))))


def random_tool(r):
    params = obj(r, [(text(r) if r.random() < 0.3 else r.choice(["x", "7", "3"]), parameter(r) if r.random() < 0.9 else value(r)) for _ in range(r.randint(0, 4))])
    if r.random() < 0.7:
        params = obj(r, [("type", '"object"'), ("properties", params)])
    fn = obj(r, sometimes(r, 0.9, ("name", string(r, text(r))), ("description", string(r, text(r))), ("parameters", params)) + sometimes(r, 0.2, ("prototype", value(r))))
    return obj(r, [("type", '"function"'), ("function", fn)]) if r.random() < 0.7 else fn


def randoms(count, seed, folders):
    r = random.Random(seed)
    made = tokenizers([HERE / "templates", *folders])
    for _ in range(count):
        name = r.choice(list(made))
        messages = "[" + ", ".join(message(r) for _ in range(r.randint(0, 7))) + "]"
        tools = "[" + ", ".join(random_tool(r) for _ in range(r.randint(0, 3))) + "]" if r.random() < 0.7 else None
        yield case(made[name], name, messages, tools)


if __name__ == "__main__":
    cases = randoms(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]) if len(sys.argv) > 1 else committed()
    json.dump({"reference": "llm-siren 0.2.0", "cases": list(cases)}, sys.stdout, indent=1)
    sys.stdout.write("\n")
