"""Recordings and files sent as LSL streams at their own pace."""
