"""OpenELM as Apple's released modelling code computes it, written anew and plainly: what the port is held against.

Fused query-key-value and gate-up projections, RMS norms of queries and keys per head, rotary embeddings in halves,
repeated key and value heads, an output layer that is the embedding matrix. No cache, no mask but the causal one.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class RMSNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        return normed * self.weight


class Attention(nn.Module):
    def __init__(self, config: dict[str, Any], index: int) -> None:
        super().__init__()
        self.heads, self.pairs = config["num_query_heads"][index], config["num_kv_heads"][index]
        self.size, self.theta = config["head_dim"], config["rope_freq_constant"]
        self.qkv_proj = nn.Linear(config["model_dim"], (self.heads + 2 * self.pairs) * self.size, bias=False)
        self.q_norm, self.k_norm = RMSNorm(self.size), RMSNorm(self.size)
        self.out_proj = nn.Linear(self.heads * self.size, config["model_dim"], bias=False)

    def rotate(self, x: Tensor) -> Tensor:
        steps = torch.arange(0, self.size, 2, dtype=torch.float32)
        angles = torch.arange(x.shape[-2], dtype=torch.float32)[:, None] / self.theta ** (steps / self.size)
        angles = torch.cat([angles, angles], dim=-1)
        first, second = x.chunk(2, dim=-1)
        return x * angles.cos() + torch.cat([-second, first], dim=-1) * angles.sin()

    def forward(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        fused = self.qkv_proj(x).view(batch, length, -1, self.size).transpose(1, 2)
        query, key, value = fused.split([self.heads, self.pairs, self.pairs], dim=1)
        query, key = self.rotate(self.q_norm(query)), self.rotate(self.k_norm(key))
        key, value = (each.repeat_interleave(self.heads // self.pairs, dim=1) for each in (key, value))
        out = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        joined: Tensor = self.out_proj(out.transpose(1, 2).reshape(batch, length, -1))
        return joined


class FeedForward(nn.Module):
    def __init__(self, config: dict[str, Any], index: int) -> None:
        super().__init__()
        width, divisor = config["model_dim"], config["ffn_dim_divisor"]
        wanted = config["ffn_multipliers"][index] * width
        inner = max(divisor, int(wanted + divisor / 2) // divisor * divisor)
        inner += divisor if inner < 0.9 * wanted else 0
        self.proj_1 = nn.Linear(width, 2 * inner, bias=False)
        self.proj_2 = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.proj_1(x).chunk(2, dim=-1)
        out: Tensor = self.proj_2(functional.silu(gate) * up)
        return out


class Layer(nn.Module):
    def __init__(self, config: dict[str, Any], index: int) -> None:
        super().__init__()
        self.attn, self.ffn = Attention(config, index), FeedForward(config, index)
        self.attn_norm, self.ffn_norm = RMSNorm(config["model_dim"]), RMSNorm(config["model_dim"])

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.attn_norm(x))
        out: Tensor = x + self.ffn(self.ffn_norm(x))
        return out


class Transformer(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.token_embeddings = nn.Embedding(config["vocab_size"], config["model_dim"])
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config["num_transformer_layers"]))
        self.norm = RMSNorm(config["model_dim"])


class OpenELM(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.transformer = Transformer(config)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.transformer.token_embeddings(ids)
        for layer in self.transformer.layers:
            x = layer(x)
        return functional.linear(self.transformer.norm(x), self.transformer.token_embeddings.weight)
