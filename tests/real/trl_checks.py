"""TRL takes the train and test split of every release as they are: its checks, its templates, one real step.

Nothing comes from a hub: the tokenizer is trained on the release itself, the model is a random one-layer
Llama, the chat templates are those that TRL ships.

Usage: trl_checks.py STORE
"""

import contextlib
import math
import os
import sys
import tempfile
from pathlib import Path

from checks import each_release, expect, offline

scratch = offline("trl")
os.environ |= {
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "CUDA_VISIBLE_DEVICES": "",
}

import datasets
import torch
import transformers
import trl
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer
from trl.data_utils import apply_chat_template, is_conversational, maybe_extract_prompt
from trl.trainer.utils import remove_none_values

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
# Families that render tools and tool results. Each reads something else of a row, so each must render all rows.
TOOL_TEMPLATES = ("qwen2_5", "qwen3", "qwen3_6", "glm4moe", "gemma4", "lfm2_v2", "nemotron_3_nano")
TRAINED_TEMPLATE = "qwen3"
# Longer than any row that a step should meet: a cut row would hide itself.
MAX_LENGTH = 4096
# Rows given to a trainer; the checks before it read all.
TRAINED_ROWS = 256


def template(name):
    return (TEMPLATES / f"{name}.jinja").read_text()


def message_lists(row):
    return [row[c] for c in ("messages", "prompt", "chosen", "rejected") if c in row]


def local_tokenizer(rows):
    """A byte-level BPE of the release's own text."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    text = (m["content"] or "" for row in rows for part in message_lists(row) for m in part)
    trainer = trainers.BpeTrainer(
        vocab_size=1000,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(text, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=template(TRAINED_TEMPLATE),
    )


def local_model(tokenizer):
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=MAX_LENGTH,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def step_options(folder):
    return {
        "output_dir": folder,
        "max_steps": 1,
        "per_device_train_batch_size": 4,
        "max_length": MAX_LENGTH,
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "logging_strategy": "no",
        "seed": 0,
    }


def check_rows(splits):
    """The format that TRL picks from the first row must hold for every row."""
    count = 0
    for rows in splits.values():
        for row in rows:
            for part in message_lists(row):
                expect(is_conversational({"messages": part}), f"not conversational: {part!r}"[:200])
                for message in part:
                    content = message["content"]
                    expect(
                        isinstance(content, str),
                        f"{message['role']} content is {content!r}: templates that concatenate it fail;"
                        " write an empty string beside tool calls",
                    )
            if "messages" in row:
                expect(row["messages"][-1]["role"] == "assistant", "last message is not the assistant's")
            else:
                check_pair(row)
            count += 1
    return f"{count} rows"


def check_pair(row):
    pair = {c: row[c] for c in ("prompt", "chosen", "rejected")}
    expect(maybe_extract_prompt(pair) == pair, "TRL does not take the prompt as given")
    expect(pair["chosen"] != pair["rejected"], "chosen equals rejected")
    expect(row["prompt"][-1]["role"] in ("user", "tool"), f"prompt ends in {row['prompt'][-1]['role']}")
    for side in ("chosen", "rejected"):
        expect(row[side][0]["role"] == "assistant", f"{side} begins with {row[side][0]['role']}")


def check_rendered(splits, tokenizer, name):
    """Every row renders, nulls or no nulls, with the text of all its messages and the name of all its tools."""
    source = template(name)
    tools_seen = 0
    for rows in splits.values():
        for row in rows:
            parts = message_lists(row)
            whole = [parts[0]] if "messages" in row else [parts[0] + parts[1], parts[0] + parts[2]]
            tools = row.get("tools")
            for messages in whole:
                options = {"tools": tools, "tokenize": False, "chat_template": source}
                text = tokenizer.apply_chat_template(messages, **options)
                bare = tokenizer.apply_chat_template(remove_none_values(messages), **options)
                expect(text == bare, "a null changes the rendered text")
                for message in messages:
                    content = message["content"] or ""
                    # Templates cut <think> blocks out and strip the ends.
                    found = "<think>" in content or content.strip() in text
                    expect(found, f"{message['role']} message lost: {content[:80]!r}")
                    for call in message.get("tool_calls") or []:
                        expect(call["function"]["name"] in text, f"lost call {call!r}")
                for tool in tools or []:
                    expect(tool["function"]["name"] in text, f"lost tool {tool!r}")
                    tools_seen += 1
    return f"{tools_seen} tools rendered"


def check_trl_text(splits, tokenizer):
    """TRL's own function, the one that the non-tokenizing trainers call."""
    for rows in splits.values():
        for row in rows:
            keys = ("messages",) if "messages" in row else ("prompt", "chosen", "rejected")
            out = apply_chat_template({k: row[k] for k in keys}, tokenizer, tools=row.get("tools"))
            for key in ("text",) if "messages" in row else keys:
                expect(out[key].strip(), f"empty {key}")
            if "chosen" in out:
                expect(out["chosen"] != out["rejected"], "chosen and rejected render alike")


def step(splits, tokenizer, trainer_class, config, **models):
    """One optimizer step over train and one evaluation of test; no row may get lost on the way."""
    rows = {s: r.select(range(min(len(r), TRAINED_ROWS))) for s, r in splits.items()}
    # A trainer prints its figures to stdout, which is for our lines.
    with contextlib.redirect_stdout(sys.stderr):
        trainer = trainer_class(
            model=local_model(tokenizer),
            args=config,
            train_dataset=rows["train"],
            eval_dataset=rows.get("test"),
            processing_class=tokenizer,
            **models,
        )
        kept = len(trainer.train_dataset)
        loss = trainer.train().training_loss
        losses = [loss] + ([trainer.evaluate()["eval_loss"]] if "test" in rows else [])
    expect(kept == len(rows["train"]), f"the trainer kept {kept} of {len(rows['train'])} rows")
    expect(all(map(math.isfinite, losses)) and loss > 0, f"losses {losses}")
    return f"{kept} rows, loss {loss:.3f}"


def check_release(release, checks):
    folder = tempfile.mkdtemp(dir=scratch.name)
    splits = datasets.load_dataset(str(release), cache_dir=folder)
    columns = splits["train"].column_names
    preference = {"prompt", "chosen", "rejected"} <= set(columns)
    if not preference and "messages" not in columns:
        checks.fail("format", f"neither messages nor prompt/chosen/rejected in {columns}")
        return
    checks.run("rows", lambda: check_rows(splits))
    tokenizer = local_tokenizer(splits["train"])
    for name in TOOL_TEMPLATES:
        checks.run(f"template {name}", lambda name=name: check_rendered(splits, tokenizer, name))
    checks.run("apply_chat_template", lambda: check_trl_text(splits, tokenizer))
    options = step_options(folder)
    if preference:
        # Without an explicit reference DPOTrainer looks the model up by its (hub) name.
        models = {"ref_model": local_model(tokenizer)}
        config = DPOConfig(**options)
        checks.run("DPOTrainer step", lambda: step(splits, tokenizer, DPOTrainer, config, **models))
        return
    for only in (False, True):
        name = "SFTTrainer step" + (" (assistant_only_loss)" if only else "")
        config = SFTConfig(assistant_only_loss=only, **options)
        checks.run(name, lambda c=config: step(splits, tokenizer, SFTTrainer, c))


sys.exit(each_release("trl", (trl, transformers, datasets, torch), check_release))
