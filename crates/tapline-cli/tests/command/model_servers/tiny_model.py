"""Writes a model for llama.cpp that knows a few letters, and whose weights are random: half a megabyte."""

import sys

import gguf
import numpy

WIDTH, LAYERS, HEADS, INNER, CONTEXT = 64, 2, 4, 128, 512
LETTERS = "abcdefghijklmnopqrstuvwxyz .,?!:"
SPACE = "\u2581"
TEMPLATE = "{% for message in messages %}{{ message['content'] }} {% endfor %}"


def vocabulary():
    """Pieces with their kinds and scores: whatever is no letter is written byte by byte."""
    kinds = gguf.TokenType
    special = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
    in_bytes = [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    letters = [(letter.replace(" ", SPACE), kinds.NORMAL) for letter in LETTERS]
    return [(piece, kind, -float(rank)) for rank, (piece, kind) in enumerate(special + in_bytes + letters)]


def describe(model, pieces):
    model.add_name("tiny")
    model.add_context_length(CONTEXT)
    model.add_embedding_length(WIDTH)
    model.add_block_count(LAYERS)
    model.add_feed_forward_length(INNER)
    model.add_head_count(HEADS)
    model.add_layer_norm_rms_eps(1e-5)
    model.add_rope_dimension_count(WIDTH // HEADS)
    model.add_vocab_size(len(pieces))
    # One vector for a whole text.
    model.add_pooling_type(gguf.PoolingType.MEAN)
    model.add_tokenizer_model("llama")
    model.add_token_list([piece for piece, _, _ in pieces])
    model.add_token_types([kind for _, kind, _ in pieces])
    model.add_token_scores([score for _, _, score in pieces])
    model.add_unk_token_id(0)
    model.add_bos_token_id(1)
    model.add_eos_token_id(2)
    model.add_chat_template(TEMPLATE)


def fill(model, size):
    random = numpy.random.default_rng(1)

    def weights(*shape):
        return (random.standard_normal(shape) / 8).astype(numpy.float32)

    def add(name, *shape):
        model.add_tensor(f"{name}.weight", weights(*shape))

    def add_norm(name):
        model.add_tensor(f"{name}.weight", numpy.ones(WIDTH, numpy.float32))

    add("token_embd", size, WIDTH)
    # The likeliest piece is always a letter: whoever is told single bytes in pieces leaves out what is no UTF-8.
    output = weights(size, WIDTH)
    output[: -len(LETTERS)] = 0
    model.add_tensor("output.weight", output)
    add_norm("output_norm")
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        add_norm(f"{block}.attn_norm")
        for part in ("q", "k", "v", "output"):
            add(f"{block}.attn_{part}", WIDTH, WIDTH)
        add_norm(f"{block}.ffn_norm")
        add(f"{block}.ffn_gate", INNER, WIDTH)
        add(f"{block}.ffn_up", INNER, WIDTH)
        add(f"{block}.ffn_down", WIDTH, INNER)


pieces = vocabulary()
model = gguf.GGUFWriter(sys.argv[1], "llama")
describe(model, pieces)
fill(model, len(pieces))
model.write_header_to_file()
model.write_kv_data_to_file()
model.write_tensors_to_file()
model.close()
