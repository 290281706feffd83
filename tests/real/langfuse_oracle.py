"""Langfuse's own normalised chats (`*.chatml.json`) beside what gristmill makes of the same traces, message by message.

Langfuse keeps `{observation: {input: {success, data}, output: …}}`. Only calls of a model are compared, because only they
are conversations here. A call that another repeats as its beginning is kept once: it is compared with that other.
Our text is redacted, so a replacement stands for any text.
"""

import collections
import json
import re
import tempfile
from pathlib import Path

import sources

ROLES = {"model": "assistant", "developer": "system", "human": "user", "ai": "assistant", "function": "tool"}
REDACTED = re.compile(r"<[A-Z][A-Z_]*[^<>\\s]*>|\[[A-Z][A-Z_]*[^\[\]\s]*\]")


def text_of(content):
    """What a message says, as plain text."""
    if isinstance(content, list):
        return "\n".join(text_of(part.get("text", part.get("content", ""))) if isinstance(part, dict) else str(part) for part in content)
    return content if isinstance(content, str) else "" if content is None else json.dumps(content)


def calls_of(message):
    """Name and arguments of each tool call."""
    found = []
    for call in message.get("tool_calls") or []:
        call = call.get("function", call) if isinstance(call.get("function"), dict) else call
        arguments = call.get("arguments", call.get("args", {}))
        found.append((call.get("name"), json.loads(arguments) if isinstance(arguments, str) and arguments else arguments or {}))
    return found


def said(side):
    """The messages of one side; nothing where Langfuse could not read it."""
    if not side or not side.get("success"):
        return None if side else []
    return [message for message in side["data"] or [] if message.get("role")]


def same_text(ours, theirs):
    pattern = ".*".join(re.escape(piece) for piece in REDACTED.split(ours.strip()))
    return re.fullmatch(pattern, theirs.strip(), re.DOTALL) is not None


def difference(ours, theirs):
    """What sets two messages apart; nothing if they say the same."""
    if ours["role"] != ROLES.get(theirs["role"], theirs["role"]):
        return f"role: {ours['role']}, not {theirs['role']}"
    if calls_of({"tool_calls": json.loads(ours["tool_calls"] or "[]")}) != calls_of(theirs):
        return "tool calls" if theirs.get("tool_calls") else "tool calls that Langfuse does not read"
    text = text_of(theirs.get("content"))
    if same_text(ours["content"] or "", text):
        return None
    if not text:
        return "text that Langfuse keeps as JSON beside the message"
    return "text"


def compare():
    """Prints a table of all differences, and whether at least 95 % of the messages are the same."""
    folder, table = sources.DATA / "langfuse-worker-traces/framework-traces", collections.Counter()
    same = of = 0
    for oracle in sorted(folder.glob("*.chatml.json")):
        trace = oracle.with_name(oracle.name.replace(".chatml.", ".trace."))
        whole = json.loads(trace.read_text())
        generations = {one["id"] for one in whole["observations"] if one["type"] == "GENERATION"}
        with tempfile.TemporaryDirectory(prefix="gristmill-oracle-") as scratch:
            told, _, _ = sources.inspect(trace)
            file = sources.pipeline(Path(scratch), trace, told)
            sources.gristmill("run", file, "--until", "redact", "--json")
            kept = sources.rows(Path(scratch) / "store")
        if kept is None:
            print("SKIP oracle: no venv to read Parquet with")
            return True
        for call, sides in json.loads(oracle.read_text()).items():
            if call not in generations:
                continue
            asked, answered = said(sides.get("input")), said(sides.get("output"))
            name = oracle.name.split("-20")[0]
            own = [row for row in kept if row["external_id"] == call]
            if asked is None or answered is None or not asked:
                table[name, "Langfuse reads no prompt; " + ("we read the call" if own else "nor do we read the call")] += 1
                continue
            theirs, best = asked + answered, None
            for row in own or kept:
                messages, found = row["messages"], []
                if messages[0]["role"] == "system" and theirs[0]["role"] == "user" and len(messages) > len(theirs):
                    # Instructions stand in the answer of the Responses API.
                    messages, found = messages[1:], ["a system prompt that Langfuse does not read"]
                found += [difference(*pair) for pair in zip(messages, theirs)]
                found += ["a message too few"] * (len(theirs) - len(messages))
                found += ["a message too many"] * (len(messages) - len(theirs) if own else 0)
                best = min(best or found, found, key=lambda one: sum(map(bool, one)))
            best = best or ["a call that is not read"] * len(theirs)
            same, of = same + sum(one is None for one in best), of + len(best)
            table.update((name, one) for one in best if one)
    for (name, what), n in sorted(table.items()):
        print(f"{n:4}  {name}: {what}")
    print(f"messages alike: {same} of {of} ({same / of:.1%})")
    return same / of >= sources.ENOUGH
