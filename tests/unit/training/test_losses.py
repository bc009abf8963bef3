import torch
import torch.nn.functional as F  # noqa: N812

from sentiment.config import AdversarialConfig
from sentiment.data.batching import Batch, EncodedReviews
from sentiment.models.lstm import SentimentRNN
from sentiment.training.losses import adversarial_loss, virtual_adversarial_loss
from sentiment.training.objective import SentimentObjective


def batch() -> Batch:
    ids = torch.tensor([[5, 6, 7, 8], [9, 10, 1, 1]])
    return Batch(ids, torch.tensor([4, 2]), torch.tensor([1.0, 0.0]))


def test_the_adversarial_shift_increases_the_loss_more_than_random_shifts() -> None:
    torch.manual_seed(0)
    model = SentimentRNN(50, 8, 6, 2, 0.0, "last_max_mean", head_dropout=0.0)
    plain = F.binary_cross_entropy_with_logits(model(batch().input_ids, batch().lengths), batch().labels)
    epsilon = 2.0
    adversarial = adversarial_loss(model, batch(), AdversarialConfig(weight=1.0, epsilon=epsilon)) - plain
    size = epsilon * model.encoder.embedding.weight.std()
    random_losses = []
    for _ in range(20):
        shift = torch.randn(2, 4, 8)
        shift = shift / shift.flatten(1).norm(dim=1)[:, None, None] * size
        logits = model(batch().input_ids, batch().lengths, shift)
        random_losses.append(F.binary_cross_entropy_with_logits(logits, batch().labels))
    assert adversarial > max(random_losses) > plain * 0.9
    assert adversarial > plain


def test_the_gradient_is_that_of_both_losses_together() -> None:
    torch.manual_seed(0)
    model = SentimentRNN(50, 8, 6, 2, 0.0, "last_max_mean", head_dropout=0.0)
    parameters = list(model.parameters())
    ids, lengths, labels = batch().input_ids, batch().lengths, batch().labels
    shift = torch.zeros(2, 4, 8, requires_grad=True)
    plain = F.binary_cross_entropy_with_logits(model(ids, lengths, shift), labels)
    (direction,) = torch.autograd.grad(plain, shift, retain_graph=True)
    size = 2.0 * model.encoder.embedding.weight.detach().std()
    worst = direction / direction.flatten(1).norm(dim=1)[:, None, None] * size
    shifted = F.binary_cross_entropy_with_logits(model(ids, lengths, worst), labels)
    expected = torch.autograd.grad(0.5 * (plain + 0.7 * shifted), parameters)

    loss = adversarial_loss(model, batch(), AdversarialConfig(weight=0.7, epsilon=2.0), share=0.5)
    loss.backward()
    torch.testing.assert_close(loss, 0.5 * (plain + 0.7 * shifted))
    for parameter, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def divergence(model: SentimentRNN, shift: torch.Tensor) -> torch.Tensor:
    logits, moved = (model(batch().input_ids, batch().lengths, given) for given in (None, shift))
    held, now = torch.sigmoid(logits), torch.sigmoid(moved)
    return (held * (held / now).log() + (1 - held) * ((1 - held) / (1 - now)).log()).mean()


def test_the_virtual_shift_changes_predictions_more_than_random_shifts() -> None:
    torch.manual_seed(0)
    model = SentimentRNN(50, 8, 6, 2, 0.0, "last_max_mean", head_dropout=0.0)
    found = virtual_adversarial_loss(model, batch(), AdversarialConfig(epsilon=2.0, virtual_weight=1.0))
    size = 2.0 * model.encoder.embedding.weight.detach().std()
    random = []
    for _ in range(20):
        shift = torch.randn(2, 4, 8) * (torch.arange(4) < batch().lengths[:, None])[:, :, None]
        random.append(divergence(model, shift / shift.flatten(1).norm(dim=1)[:, None, None] * size))
    assert found > max(random)
    found.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_virtual_loss_needs_no_labels_and_weights_its_terms() -> None:
    torch.manual_seed(0)
    model = SentimentRNN(50, 8, 6, 2, 0.0, head_dropout=0.0)
    probability = torch.sigmoid(model(batch().input_ids, batch().lengths))
    entropy = -(probability * probability.log() + (1 - probability) * (1 - probability).log()).mean()
    loss = virtual_adversarial_loss(model, batch(), AdversarialConfig(entropy_weight=0.5))
    torch.testing.assert_close(loss, 0.5 * entropy)

    turned = Batch(batch().input_ids, batch().lengths, 1 - batch().labels)
    config = AdversarialConfig(virtual_weight=1.0)
    both = []
    for reviews in (batch(), turned):
        torch.manual_seed(1)
        both.append(virtual_adversarial_loss(model, reviews, config))
    torch.testing.assert_close(*both)


def test_parts_of_a_batch_add_up_with_unlabeled_reviews() -> None:
    reviews = EncodedReviews([[5, 6, 7]] * 4, [1, 0, 1, 0])
    unlabeled = EncodedReviews([[8, 9, 5], [6, 6, 4], [7, 4, 8]])
    config = AdversarialConfig(entropy_weight=1.0)
    device = torch.device("cpu")
    objective = SentimentObjective(reviews, reviews, 12, 1, device, adversarial=config, unlabeled=unlabeled)
    objective.start_epoch(0)
    torch.manual_seed(0)
    model = SentimentRNN(50, 8, 6, 2, 0.0, head_dropout=0.0)
    whole = objective.loss(model, 0, slice(0, 4))
    parts = [objective.loss(model, 0, slice(start, start + 1)) for start in range(4)]
    torch.testing.assert_close(sum(parts), whole)
    alone = SentimentObjective(reviews, reviews, 12, 1, device)
    alone.start_epoch(0)
    assert whole > alone.loss(model, 0, slice(0, 4))
