"""Only in the demo: the phones of its people, on which the messages that they would have got can be read."""
