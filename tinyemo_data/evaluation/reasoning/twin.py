"""The untrained twin of a model: all of it but the connector, whose weights are drawn anew.

Stage 1 trains the connector alone, so that the pretrained model with the first connector is what training began from.
"""

import torch

from tinyemo_data.mm_llm.composition import MMLLM


def forget_training(pretrained: MMLLM, seed: int) -> MMLLM:
    """Draw the connector's weights as the composition does, in place, and return the model."""
    connector = pretrained.model.model.multi_modal_projector
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in (connector.linear_1, connector.linear_2):
            # On the CPU, as the composition does: other devices draw other numbers.
            fresh = torch.nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
            layer.load_state_dict(fresh.state_dict())
    return pretrained
