"""The budget is a wall: what could pass it is not sent."""

from dataclasses import dataclass

from tinyemo_data.errors import BudgetError


@dataclass
class Budget:
    """Dollars that one ledger may ever cost, what was spent, and what is at risk in what was sent."""

    wall_usd: float | None  # None: no wall, for what costs nothing
    spent_usd: float = 0.0
    at_risk_usd: float = 0.0

    @property
    def left_usd(self) -> float:
        """Return what may still be put at risk."""
        return float("inf") if self.wall_usd is None else self.wall_usd - self.spent_usd - self.at_risk_usd

    def reserve(self, usd: float) -> bool:
        """Put `usd` at risk, if the wall allows it."""
        if usd > self.left_usd:
            return False
        self.at_risk_usd += usd
        return True

    def settle(self, reserved_usd: float, usd: float) -> None:
        """Exchange a reservation for what was paid."""
        self.at_risk_usd = max(0.0, self.at_risk_usd - reserved_usd)
        self.spent_usd += usd


def wall_reached(budget: Budget, done: int, total: int, next_usd: float) -> BudgetError:
    """Return the error that says how far the budget got, and how to go on."""
    return BudgetError(
        f"The budget of ${budget.wall_usd:g} is used up: ${budget.spent_usd:.4f} were spent and "
        f"${budget.at_risk_usd:.4f} may still be billed for what was sent and not answered; the next one could cost "
        f"${next_usd:.4f}. {done:,} of {total:,} requests are answered and kept. Raise synthesis.budget_usd "
        "(TINYEMO_SYNTHESIS__BUDGET_USD) and run the same again: nothing is bought twice."
    )
