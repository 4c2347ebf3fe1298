.PHONY: demo test lint setup
demo test lint setup:
	./dev $@
