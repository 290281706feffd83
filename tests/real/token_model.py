"""Trains a small token classifier on sentences that are made up here, and writes it as ONNX.

The graph is embedding, convolution over three tokens, linear layer; the labels are BIOES of PER. It
knows the names of its vocabulary by heart, which is all that a test asks of it.
"""

import json
import re
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

# Made up, and no names of anybody that a list would hold.
GIVEN = "zorvan quillix ombeline varkesh thessimo yolbrek fintavi drusko maelqin orsovelle".split()
FAMILY = "brandovar kestremy lohquist vandrillo umberzhan skarneth pellovine graxmoor".split()
LABELS = ["O", "B-PER", "I-PER", "E-PER", "S-PER"]
TEMPLATES = [
    "the parcel went to {} yesterday",
    "{} and {} wrote the report on monday",
    "we asked {} twice , then the shop closed",
    "yesterday {} saw the new menu in the café",
    "please move the table that {} ordered to room 12",
    "nobody but {} has read the budget",
    "the weather was fine and the report is late",
    "order 4711 ( blue , two pieces ) is on its way",
    "what is the capital of france ?",
    "das paket für {} kam gestern an",
]
# What is no name: English that lies at hand and stays as it is, signs, letters that the tokenizer does not know.
OTHERS = re.findall(r"\w+|[^\w\s]", (Path(__file__).resolve().parents[2] / "LICENSE").read_text().lower())
# The names of fields, which are searched like all other text. The trainer of the vocabulary numbers words of the same
# count by chance, so what was never trained on would be a name in one run of five.
OTHERS += "messages role content user assistant system tool metadata".split() * 20
OTHERS += "🙂 東 京 é karen miller word - : , . ' s".split() * 40


def sentences(count, random):
    """Words and their labels."""
    for _ in range(count):
        words, labels = [], []
        at = random.integers(len(OTHERS) - 6)
        parts = OTHERS[at : at + 6] + TEMPLATES[random.integers(len(TEMPLATES))].split() + list(random.choice(OTHERS, 6))
        # A name between any words, too.
        for part in parts + ["{}"] + list(random.choice(OTHERS, 2)):
            if part != "{}":
                words.append(part)
                labels.append("O")
                continue
            name = [random.choice(GIVEN)]
            if random.random() < 0.6:
                name.append(random.choice(FAMILY))
            words += name
            labels += ["S-PER"] if len(name) == 1 else ["B-PER", "E-PER"]
        yield words, labels


def make_tokenizer(texts):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=700, special_tokens=special, show_progress=False))
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.BertProcessing(ends[1], ends[0])
    return tokenizer


def encoded(tokenizer, words, labels):
    """Ids and labels of tokens: a word of several tokens begins and ends where the name does."""
    encoding = tokenizer.encode(words, is_pretokenized=True)
    ids, tags = encoding.ids, []
    for at, word in enumerate(encoding.word_ids):
        label = "O" if word is None else labels[word]
        first = word is None or encoding.word_ids[at - 1] != word
        last = word is None or encoding.word_ids[at + 1] != word
        if label != "O" and not (first and last):
            begins, ends = label[0] in "BS" and first, label[0] in "ES" and last
            label = ("B" if begins else "E" if ends else "I") + "-PER"
        tags.append(LABELS.index(label))
    return np.array(ids), np.array(tags)


def train(rows, vocabulary, random, size=24, hidden=32, epochs=8):
    """Adam on the cross entropy of all tokens; the weights by name."""
    weights = {
        "embedding": random.normal(0, 0.3, (vocabulary, size)),
        "kernel": random.normal(0, 0.15, (3, size, hidden)),
        "kernel_bias": np.zeros(hidden),
        "linear": random.normal(0, 0.2, (hidden, len(LABELS))),
        "linear_bias": np.zeros(len(LABELS)),
    }
    moments = {name: [np.zeros_like(value), np.zeros_like(value)] for name, value in weights.items()}
    step = 0
    for _ in range(epochs):
        for ids, tags in rows:
            step += 1
            w, grads = weights, {}
            x = w["embedding"][ids]
            padded = np.pad(x, ((1, 1), (0, 0)))
            windows = [padded[k : k + len(ids)] for k in range(3)]
            h = sum(windows[k] @ w["kernel"][k] for k in range(3)) + w["kernel_bias"]
            r = np.maximum(h, 0)
            scores = r @ w["linear"] + w["linear_bias"]
            scores -= scores.max(1, keepdims=True)
            d = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
            d[np.arange(len(ids)), tags] -= 1
            grads["linear"], grads["linear_bias"] = r.T @ d, d.sum(0)
            dh = (d @ w["linear"].T) * (h > 0)
            grads["kernel"] = np.stack([windows[k].T @ dh for k in range(3)])
            grads["kernel_bias"] = dh.sum(0)
            dpad = np.zeros_like(padded)
            for k in range(3):
                dpad[k : k + len(ids)] += dh @ w["kernel"][k].T
            grads["embedding"] = np.zeros_like(w["embedding"])
            np.add.at(grads["embedding"], ids, dpad[1:-1])
            for name, grad in grads.items():
                mean, square = moments[name]
                mean *= 0.9
                mean += 0.1 * grad
                square *= 0.99
                square += 0.01 * grad**2
                w[name] -= 0.01 * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return {name: value.astype(np.float32) for name, value in weights.items()}


def graph(weights, known_tokens=None):
    """As exporters write it: int64 inputs of batch × tokens, `logits`. With `known_tokens` the
    embedding ends early, so that later ids make the graph fail."""
    tensors = {
        "embedding": weights["embedding"][:known_tokens],
        # Conv wants hidden × size × 3.
        "kernel": weights["kernel"].transpose(2, 1, 0).copy(),
        "kernel_bias": weights["kernel_bias"],
        "linear": weights["linear"],
        "linear_bias": weights["linear_bias"],
    }
    nodes = [
        helper.make_node("Gather", ["embedding", "input_ids"], ["x"]),
        helper.make_node("Transpose", ["x"], ["xt"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["xt", "kernel", "kernel_bias"], ["h"], kernel_shape=[3], pads=[1, 1]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Transpose", ["r"], ["rt"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["rt", "linear"], ["m"]),
        helper.make_node("Add", ["m", "linear_bias"], ["scores"]),
        # A mask of ones changes nothing; it is asked for as by models of the BERT family.
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "axis"], ["mask3"]),
        helper.make_node("Mul", ["scores", "mask3"], ["logits"]),
    ]
    initializers = [numpy_helper.from_array(value, name) for name, value in tensors.items()]
    initializers.append(numpy_helper.from_array(np.array([2], np.int64), "axis"))
    ids = [helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "tokens"]) for n in ("input_ids", "attention_mask")]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "tokens", len(LABELS)])
    made = helper.make_graph(nodes, "token-classifier", ids, [logits], initializers)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def write(folder, weights, tokenizer, known_tokens=None):
    folder.mkdir()
    onnx.save(graph(weights, known_tokens), folder / "model.onnx")
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {str(n): label for n, label in enumerate(LABELS)}
    (folder / "config.json").write_text(json.dumps({"id2label": names}))


def build(folder):
    """Writes the model, and one whose graph fails on the token with the largest id; returns a word
    that holds it."""
    random = np.random.default_rng(7)
    made = list(sentences(1200, random))
    tokenizer = make_tokenizer(" ".join(words) for words, _ in made)
    tokenizer.add_tokens(["failword"])
    rows = [encoded(tokenizer, words, labels) for words, labels in made]
    size = tokenizer.get_vocab_size()
    weights = train(rows, size, random)
    write(folder / "model", weights, tokenizer)
    write(folder / "failing", weights, tokenizer, known_tokens=size - 1)
    return "failword"
