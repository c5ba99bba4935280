"""Training and evaluation of the model in `model/`. Nothing of the service imports it."""
