"""People a model does not know: what adaptation and labels are worth to them."""
