"""Llava with a bias in its output layer, which Phi-2 has and transformers' Llava drops.

Its model type is its own, so that a program which does not know it stops instead of answering without the bias.
"""

from torch import nn
from transformers import AutoConfig, AutoModelForImageTextToText, LlavaConfig, LlavaForConditionalGeneration


class HeadBiasLlavaConfig(LlavaConfig):  # type: ignore[no-untyped-call]
    """Llava's settings."""

    model_type = "tinyemo_llava_head_bias"


class HeadBiasLlava(LlavaForConditionalGeneration):  # type: ignore[no-untyped-call]
    """Llava whose output layer adds a bias."""

    config_class = HeadBiasLlavaConfig

    def __init__(self, config: HeadBiasLlavaConfig) -> None:
        """Build Llava, then an output layer with a bias."""
        super().__init__(config)
        text = config.get_text_config()
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=True)
        self.post_init()  # type: ignore[no-untyped-call]


AutoConfig.register(HeadBiasLlavaConfig.model_type, HeadBiasLlavaConfig)
AutoModelForImageTextToText.register(HeadBiasLlavaConfig, HeadBiasLlava)
