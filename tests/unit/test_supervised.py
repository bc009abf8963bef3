import torch
import torch.nn.functional as F  # noqa: N812

from sentiment.batching import Batch
from sentiment.config import AdversarialConfig
from sentiment.model import SentimentRNN
from sentiment.supervised import adversarial_loss


def batch() -> Batch:
    ids = torch.tensor([[5, 6, 7, 8], [9, 10, 1, 1]])
    return Batch(ids, torch.tensor([4, 2]), torch.tensor([1.0, 0.0]))


def test_the_adversarial_shift_raises_the_loss_more_than_a_random_one_of_its_size() -> None:
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
