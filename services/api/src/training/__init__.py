"""How the model in `model/` is made and measured. Nothing of the service imports it."""
