"""What may be kept of what was scored: redaction, content policy, erased users.

Applied between scoring and the store, so scorers see the text and the store never sees a secret.
Policy and erasures may change while we run; each look takes the newest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from seakeeping.config import ContentPolicy
from seakeeping.ingest.redact import redact, redact_evaluation, redact_label, redact_span
from seakeeping.records import Evaluation, Interaction, Label, Span


@dataclass(frozen=True, slots=True)
class Keeping:
    """The rules in force.

    Args:
        policy: returns the content policy in force.
        erased: returns when each erased user was erased, in Unix seconds by user id.
    """

    policy: Callable[[], ContentPolicy]
    erased: Callable[[], Mapping[str, float]]

    def span(self, span: Span) -> Span:
        """Return the span as it may be kept."""
        return redact_span(span, self.policy())

    def interaction(self, interaction: Interaction) -> Interaction | None:
        """Return the interaction as it may be kept; None where its user was erased since."""
        return None if self.is_erased(interaction) else redact(interaction, self.policy())

    def is_erased(self, interaction: Interaction) -> bool:
        """Tell whether the user of an interaction was erased since it began."""
        user = interaction.user_id
        if user is None:
            return False
        return interaction.started_at <= self.erased().get(user, float("-inf"))

    def evaluation(self, evaluation: Evaluation, of: Interaction | None) -> Evaluation:
        """Return the evaluation as it may be kept."""
        return redact_evaluation(evaluation, of, self.policy())

    def label(self, label: Label, of: Interaction | None) -> Label:
        """Return the label as it may be kept."""
        return redact_label(label, of, self.policy())
