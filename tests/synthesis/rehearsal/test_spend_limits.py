"""Limits on spending, told apart by the vendor's own exception classes."""

import anthropic
import pytest
from anthropic.types.shared import ContractSpendLimitReachedError, EnforcedSpendLimitReachedError

from tests.synthesis.rehearsal.talking import MODEL, ask, ask_all, question, talk
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer

CLASSES: dict[str, type[anthropic.APIStatusError]] = {
    "enforced": EnforcedSpendLimitReachedError,
    "contract": ContractSpendLimitReachedError,
    "specified": anthropic.BadRequestError,
    "billing": anthropic.PaymentRequiredError,
}


@pytest.mark.parametrize("limit", CLASSES)
def test_a_reached_limit_raises_its_own_class_without_retry_after(server: RunningServer, limit: str) -> None:
    server.set_faults(Faults.model_validate({"spend_limit": limit}))
    with pytest.raises(CLASSES[limit]) as refused:
        ask(server, **question())
    assert "retry-after" not in refused.value.response.headers
    assert refused.value.error_code == (f"{limit}_spend_limit_reached" if limit in ("enforced", "contract") else None)


def test_a_limit_holds_from_a_number_on(server: RunningServer) -> None:
    server.set_faults(Faults(spend_limit="enforced", spend_limit_from=3))
    kinds = [isinstance(outcome, EnforcedSpendLimitReachedError) for outcome in ask_all(server, 5)]
    assert kinds == [False, False, True, True, True]


def test_a_limit_holds_from_a_number_of_dollars_on(server: RunningServer) -> None:
    ask(server, **question())
    price = server.bill().usd
    server.reset()
    server.set_faults(Faults(spend_limit="contract", spend_limit_usd=3.5 * price))
    outcomes = ask_all(server, 20)
    refused = [isinstance(outcome, ContractSpendLimitReachedError) for outcome in outcomes]
    assert refused == sorted(refused)
    assert 0 < refused.count(False) < 12
    bill = server.bill()
    assert bill.paid == refused.count(False)
    assert bill.usd >= 3.5 * price


def test_no_batch_is_made_when_the_limit_is_reached(server: RunningServer) -> None:
    server.set_faults(Faults(spend_limit="enforced"))
    params = {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": "q"}]}
    rows = [{"custom_id": "a", "params": params}]
    with pytest.raises(EnforcedSpendLimitReachedError):
        talk(server, lambda client: client.messages.batches.create(requests=rows))  # type: ignore[arg-type]
    assert server.bill().batches_created == 0
